"""What needs a real browser: a part of a run that is run again, a picture in full resolution, and the clipboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.report import Wanted, render_report
from sparkcore.runs.mapped import map_results
from sparkcore.runs.results import load_thumbnails
from sparkcore.runs.store import RunStore
from tests.browser.conftest import Server, settle
from tests.runs_fixture import write_run


def test_chosen_pictures_open_the_form_of_a_new_run(shown: Server, visit: Callable[..., Page]) -> None:
    run = shown.store.runs()[0].run_id
    page = visit(f"{shown.url}/gallery?run={run}")
    boxes = page.get_by_role("checkbox", name="Choose image-")
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    again = page.get_by_role("button", name="Run these 3 with …")
    again.click()
    expect(page.get_by_role("heading", name="New run")).to_be_visible()
    settle(page)
    expect(page.get_by_text("3 pictures of photos", exact=True)).to_be_visible()
    expect(page.locator(".st-key-browser_pictures img")).to_have_count(3)
    assert "list=" in page.url
    page.reload()
    settle(page)
    expect(page.get_by_text("3 pictures of photos", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


def test_a_picture_is_zoomed_moved_and_its_link_copied(shown: Server, visit: Callable[..., Page]) -> None:
    page = visit(f"{shown.url}/image?run={shown.store.runs()[0].run_id}")
    page.get_by_role("button", name="Zoom").click()
    dialog = page.get_by_role("dialog")
    stage, said = dialog.get_by_role("img", name="The picture in full resolution"), dialog.locator(".tools span")
    expect(said).to_contain_text(" % of ")
    dialog.get_by_role("button", name="100 %").click()
    expect(said).to_contain_text("100 % of ")
    width = int((said.text_content() or "").split(" of ")[1].split()[0])
    assert width >= 4 * 160  # the original, not the thumbnail
    dialog.get_by_role("button", name="Larger").click()
    expect(said).to_contain_text("125 % of ")
    stage.hover()
    page.mouse.wheel(0, -800)
    expect(said).not_to_contain_text("125 % of ")
    picture = stage.locator("img")
    before = picture.bounding_box()
    page.mouse.down()
    page.mouse.move(200, 200)
    page.mouse.up()
    assert picture.bounding_box() != before
    page.keyboard.press("1")
    expect(said).to_contain_text("100 % of ")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.get_by_role("button", name="Copy path").click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(2)
    assert page.evaluate("navigator.clipboard.readText()").endswith(".jpg")


@pytest.mark.parametrize("filters", [Filters(), Filters(labels=("apple",)), Filters(correct="incorrect")])
def test_a_report_is_at_most_six_printed_pages(
    tmp_path: Path, contexts: Callable[..., BrowserContext], filters: Filters
) -> None:
    store = RunStore(tmp_path / "store")
    run = write_run(store, rows=300)
    wanted = Wanted(filters, "A long title " * 8, partial(load_thumbnails, store, run))
    (tmp_path / "report.html").write_text(render_report(map_results(store, run), store.manifest(run).to_dict(), wanted))
    page = contexts(400, 900, "light").new_page()
    page.goto(f"file://{tmp_path}/report.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    pages = len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(prefer_css_page_size=True)))
    page.close()
    assert 1 <= pages <= 6
