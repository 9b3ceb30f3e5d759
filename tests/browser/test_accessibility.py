"""No page has a serious axe-core violation or is wider than a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from pages.components.frame import PAGES
from tests.browser.conftest import Server, settle

# Vega draws the empty rectangle of a selection as a mark without a name; it has no setting to change that.
_BRUSH = "role-mark brush_"
VIEWS = [*(f"{page}?label=apple&label=banana" for page in PAGES), "gallery?per=12", "run?repeat=none"]
# Most colors are on a wall of tiles and in charts; the other pages have no color of their own.
DARK = [f"{page}?label=apple&label=banana" for page in ("gallery", "evaluate")]


@pytest.mark.parametrize(
    ("page", "dark"),
    [
        *((page, False) for page in VIEWS),
        *(pytest.param(page, True, marks=[] if page in DARK else pytest.mark.soak) for page in VIEWS),
    ],
)
def test_no_serious_violation(shown: Server, visit: Callable[..., Page], page: str, dark: bool):
    tab = visit(f"{shown.url}/{page}", dark=dark)
    found = Axe().run(tab).response["violations"]
    serious = [
        (one["id"], node["html"][:200], node["any"][0]["message"] if node["any"] else "")
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
        if not (one["id"] == "svg-img-alt" and _BRUSH in node["html"])
    ]
    assert serious == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_a_phone(shown: Server, visit: Callable[..., Page], page: str):
    tab = visit(f"{shown.url}/{page}", width=400, height=800)
    settle(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
