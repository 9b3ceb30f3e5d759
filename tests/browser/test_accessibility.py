"""Every page in both themes: no serious finding of axe-core, nothing wider than a telephone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from pages.components.frame import PAGES
from sparkcore.runs.store import RunStore
from tests.browser.conftest import Server, settle
from tests.runs_fixture import write_run

# Vega draws the empty rectangle of a selection as a mark without a name; it has no setting to change that.
_BRUSH = "role-mark brush_"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server whose store holds two runs."""
    folder: Path = tmp_path_factory.mktemp("accessibility")
    store = RunStore(folder / "store")
    write_run(store, rows=30)
    write_run(store, rows=30, shift=1, day=1)
    server = Server(store, folder)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "page", [*(f"{page}?label=apple&label=banana" for page in PAGES), "gallery?per=12", "run?repeat=none"]
)
def test_no_serious_finding(shown: Server, visit: Callable[..., Page], page: str, dark: bool):
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
def test_readable_on_a_telephone(shown: Server, visit: Callable[..., Page], page: str):
    tab = visit(f"{shown.url}/{page}", width=400, height=800)
    settle(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
