"""What a click asked for is in view, and the way back leads to the place where one was."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server, settle

HEIGHT = 600  # pixels: a wall of 24 pictures is higher


def wait_for_tiles(page: Page, count: int) -> None:
    expect(page.locator(".wall a")).to_have_count(count)
    settle(page)


def open_last(page: Page) -> Locator:
    """Open the last picture of the wall, and return where it is on the wall."""
    last = page.locator(".wall a").last
    image = last.get_attribute("data-image")
    last.scroll_into_view_if_needed()
    last.click()
    expect(page.get_by_role("heading", name="Image", exact=True)).to_be_visible()
    settle(page)
    return page.locator(f'.wall a[data-image="{image}"]')


def test_a_picture_opens_at_its_top(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery", height=HEIGHT)
    wait_for_tiles(page, 24)
    open_last(page)
    expect(page.get_by_role("heading", name="Image", exact=True)).to_be_in_viewport()


def test_the_next_page_of_the_wall_begins_at_its_top(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery?sort=name-asc", height=HEIGHT)
    wait_for_tiles(page, 24)
    page.get_by_role("button", name="Page 2", exact=True).click()
    expect(page.get_by_text("25 to 48 of 60")).to_be_attached()
    expect(page.locator(".wall a").first).to_be_in_viewport(ratio=1)


def test_back_returns_to_the_place_on_the_wall(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery?sort=name-asc&page=2", height=HEIGHT)
    wait_for_tiles(page, 24)
    opened = open_last(page)
    page.go_back()
    wait_for_tiles(page, 24)
    expect(page.get_by_text("25 to 48 of 60")).to_be_attached()
    expect(opened).to_be_in_viewport(ratio=1)


def test_the_link_to_the_gallery_leads_to_the_place_of_the_picture(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery?sort=name-asc&per=12&page=2", height=HEIGHT)
    wait_for_tiles(page, 12)
    open_last(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("image-0024.jpg · 25 of 60")).to_be_visible()
    settle(page)
    page.get_by_test_id("stMain").get_by_role("link", name="Gallery").click()
    wait_for_tiles(page, 12)
    query = parse_qs(urlsplit(page.url).query)
    assert (query["page"], query["per"], query["sort"]) == (["3"], ["12"], ["name-asc"])
    expect(page.locator(".wall a").first).to_be_in_viewport(ratio=1)
    assert page.locator(".wall a").first.get_attribute("data-image") == query["at"][0]


def test_a_bar_brings_its_pictures_into_view(shown: Server, visit: Callable[..., Page]):
    for address, chart, heading in (
        ("evaluate", "chart-pair-pair", "labeled"),
        ("compare", "change-pair", "Images whose label changed"),
    ):
        page = visit(f"{shown.url}/{address}")
        bar = page.locator(f'[class*="st-key-{chart}"] [data-testid="stVegaLiteChart"] .role-mark path').first
        bar.wait_for()
        said = page.get_by_role("heading", name=heading)
        expect(said).not_to_be_in_viewport()
        bar.click()
        expect(said).to_be_in_viewport()
        settle(page)
        expect(page.locator(".wall a, .pairs a").first).to_be_in_viewport(ratio=0.5)


def test_a_threshold_shows_its_chip(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/scores")
    page.get_by_role("button", name="Show only ≥ 50 %").click()
    expect(page.locator(".st-key-chip_score")).to_be_in_viewport()
