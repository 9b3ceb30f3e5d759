"""The widgets of the sidebar show the run and the filters of the address, whatever page comes before."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from sparkcore.analysis.filters import CORRECT
from tests.browser.conftest import Server, settle

PAGES = ("Labels", "Scores", "Evaluate", "Compare", "Image", "Gallery", "Problems", "Labels")


def check_widgets(page: Page) -> None:
    """Assert that the sidebar shows the older run, and the filters that the test sets."""
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.locator(".st-key-frame_run input")).to_have_value(re.compile("2026-01-02 03:04$"))
    expect(sidebar.locator(".st-key-filter_label [data-tag]")).to_have_text(["banana"])
    expect(sidebar.locator(".st-key-filter_find input")).to_have_value("fruits")
    expect(sidebar.locator(".st-key-filter_group [data-tag]")).to_have_text(["Long · Fruit"])
    expect(sidebar.locator(".st-key-filter_name input")).to_have_value("image")
    expect(sidebar.locator(".st-key-filter_score input").first).to_have_value("50")
    expect(sidebar.locator(".st-key-filter_correct [aria-checked=true]")).to_have_text(["Correct"])


def test_the_widgets_show_the_address_on_every_page(shown: Server, visit: Callable[..., Page]):
    older = min(shown.store.runs(), key=lambda manifest: manifest.finished_at).run_id
    labels = {"find": "fruits", "group": "Fruit > Long", "label": "banana"}
    filters = urlencode({**labels, "name": "image", "score": ["0.5", ""], "correct": CORRECT}, doseq=True)
    page = visit(f"{shown.url}/gallery?run={older}&{filters}")
    check_widgets(page)
    for title in PAGES:
        page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
        settle(page)
        check_widgets(page)
