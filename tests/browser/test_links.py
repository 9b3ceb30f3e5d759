"""The address is the view: filters, chips, back and forward, and links that a fresh server is asked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settle


@pytest.fixture(scope="module")
def fresh(shown: Server) -> Iterator[Server]:
    """Give a second server on the same store: it has opened no run and cached nothing yet."""
    server = Server(shown.store, shown.roots)
    server.start()
    yield server
    server.stop()


def query(page: Page) -> dict[str, list[str]]:
    """Return the parameters of the address but the run."""
    found = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
    found.pop("run")
    return found


def names(page: Page) -> list[str]:
    return page.locator(".wall .name").all_inner_texts()


def chips(page: Page) -> list[str]:
    """Return what the chips say; Streamlit draws a button with a tooltip twice."""
    said = [
        text.split("\n")[0].removesuffix("close") for text in page.locator(".st-key-chips button").all_inner_texts()
    ]
    return list(dict.fromkeys(said))


def wait_for_names(page: Page, count: int) -> None:
    expect(page.locator(".wall .name")).to_have_count(count)
    settle(page)


def shown_text(page: Page) -> str:
    """Return all that the main part of a page says, once charts and tables are drawn: they follow the script."""
    settle(page)
    page.wait_for_function(
        """() => {
            const main = document.querySelector('[data-testid=stMain]');
            const charts = [...main.querySelectorAll('[data-testid=stVegaLiteChart]')];
            if (!charts.every(one => one.querySelector('.role-mark'))) return false;
            const before = window.shownBefore;
            window.shownBefore = main.innerText;
            return before === window.shownBefore;
        }""",
        polling=200,
    )
    # How many of its numbers an axis has room for depends on the font that the browser had when it measured them.
    page.evaluate(
        """() => document.querySelectorAll('.role-axis-label text').forEach(
            one => /^[\\d.,%\\s]+$/.test(one.textContent) && one.remove())"""
    )
    text: str = page.get_by_test_id("stMain").inner_text()
    return "\n".join([*text.split("\n"), *names(page)])


def test_filters_are_chips_and_history(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery?per=96")
    wait_for_names(page, 60)
    box = page.get_by_role("combobox", name="Label", exact=True)
    box.fill("banana")
    page.get_by_role("option", name="banana").click()
    wait_for_names(page, 18)
    assert query(page) == {"per": ["96"], "label": ["banana"]}
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Incorrect").or_(page.get_by_role("radio", name="Incorrect")).first.click()
    wait_for_names(page, 6)
    assert query(page) == {"per": ["96"], "label": ["banana"], "correct": ["incorrect"]}
    assert chips(page) == ["label banana", "prediction incorrect", "Clear all"]

    page.go_back()
    wait_for_names(page, 18)
    page.go_back()
    wait_for_names(page, 60)
    page.go_forward()
    wait_for_names(page, 18)
    assert query(page) == {"per": ["96"], "label": ["banana"]}
    page.get_by_role("button", name="label banana").click()
    wait_for_names(page, 60)
    assert query(page) == {"per": ["96"]}


def test_a_tile_opens_its_image_and_arrow_keys_go_on(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery?label=banana&sort=name-asc")
    wait_for_names(page, 18)
    order = names(page)
    page.locator(".wall a").nth(2).click()
    expect(page.get_by_role("heading", name="Image", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{order[2]} · 3 of 18")).to_be_visible()
    assert query(page)["label"] == ["banana"]
    settle(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text(f"{order[3]} · 4 of 18")).to_be_visible()
    settle(page)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(f"{order[2]} · 3 of 18")).to_be_visible()
    page.go_back()
    expect(page.get_by_text(f"{order[3]} · 4 of 18")).to_be_visible()


def test_a_tile_can_be_reached_with_the_keyboard(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery?sort=name-asc")
    wait_for_names(page, 24)
    page.locator(".wall a").first.focus()
    page.keyboard.press("Tab")  # the box that chooses the first one
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("image-0001.jpg · 2 of 60")).to_be_visible()


def test_pages_keep_the_place_of_the_gallery(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/gallery?sort=name-asc")
    wait_for_names(page, 24)
    page.get_by_role("button", name="Page 3", exact=True).click()
    wait_for_names(page, 12)
    assert query(page) == {"sort": ["name-asc"], "page": ["3"]}
    assert names(page)[0] == "image-0048.jpg"
    page.go_back()
    wait_for_names(page, 24)


@pytest.mark.parametrize(("per", "pages"), [(48, 2), (24, 3), (12, 5)])
def test_few_pages_all_have_a_button(shown: Server, visit: Callable[..., Page], per: int, pages: int):
    page = visit(f"{shown.url}/gallery?per={per}")
    expect(page.get_by_text(f"1 to {per} of 60")).to_be_visible()
    buttons = page.locator(".st-key-wall_page button").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert buttons == ["Previous page", *(f"Page {number}" for number in range(1, pages + 1)), "Next page"]


def test_a_bar_filters_and_the_gallery_shows_it(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/labels")
    bar = page.locator('[class*="st-key-chart-labels"] .mark-rect.role-mark path').first
    bar.wait_for()
    bar.click()
    expect(page.locator(".st-key-chip_labels")).to_be_visible()
    (label,) = query(page)["label"]
    page.get_by_role("link", name="Gallery").first.click()
    expect(page.locator(".wall .name").first).to_be_visible()
    settle(page)
    assert query(page) == {"label": [label]}
    assert set(page.locator(".wall .bar b").all_inner_texts()) == {label.replace("_", " ")}


@pytest.mark.parametrize(
    "view",
    [
        "gallery?label=banana&score=0.5&score=&sort=size-asc&per=12&page=1&zoom=small",
        "labels?correct=incorrect",
        "scores?score=0.5&score=0.9",
        "image?label=banana&sort=name-desc",
        "compare?page=1",
        "evaluate?label=banana",
        "problems?error=truncated",
        "runs",
        "run",
    ],
)
def test_a_fresh_server_shows_the_same(shown: Server, fresh: Server, visit: Callable[..., Page], view: str):
    run = shown.store.runs()[1].run_id
    address = f"{view}{'&' if '?' in view else '?'}run={run}"
    assert shown_text(visit(f"{fresh.url}/{address}")) == shown_text(visit(f"{shown.url}/{address}"))
