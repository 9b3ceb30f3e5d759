"""Review by keyboard alone, and several pictures chosen on the wall."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.review import CLASS, NONE, Answer
from sparkcore.runs.store import RunStore
from tests.browser.conftest import Server, settle
from tests.runs_fixture import write_run

ROWS = 30


@pytest.fixture
def served_run(tmp_path: Path) -> tuple[Server, str]:
    """Give a server of its own, not started yet, whose one run has no true labels."""
    store = RunStore(tmp_path / "store")
    return Server(store, tmp_path), write_run(store, rows=ROWS, truth=False, error_every=0)


def test_keys_review_and_choose(served_run: tuple[Server, str], visit: Callable[..., Page]) -> None:
    server, run = served_run
    server.start()
    try:
        _review(visit(f"{server.url}/review?run={run}&queue=unsure"), server.store)
        _choose(visit(f"{server.url}/gallery?run={run}"), server.store)
    finally:
        server.stop()


def _review(page: Page, store: RunStore) -> None:
    keys = ["Enter", "2", "0", "Backspace", "0"]
    reviewed = [1, 2, 3, 2, 3]
    for key, count in zip(keys, reviewed, strict=True):
        page.keyboard.press(key)
        expect(page.get_by_text(f"of {ROWS} · {count} reviewed")).to_be_visible()
        settle(page)
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog")).to_contain_text("search all classes")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    for first, text, count in (("c", "he", 4), ("+", "papaya", 5)):
        page.keyboard.press(first)
        page.keyboard.type(text)
        if first == "c":
            expect(page.get_by_role("option")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"of {ROWS} · {count} reviewed")).to_be_visible()
        settle(page)
    said = [state.answer for state in ReviewBook(store).states().values()]
    assert Answer(CLASS, "cherry pie", "n03") in said
    assert Answer(CLASS, "papaya") in said
    assert Answer(NONE) in said


def _choose(page: Page, store: RunStore) -> None:
    boxes = page.locator(".choose")
    boxes.nth(1).click()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    boxes.nth(5).click(modifiers=["Shift"])
    expect(page.get_by_text("5 chosen")).to_be_visible()
    boxes.nth(3).click()
    expect(page.get_by_text("4 chosen")).to_be_visible()
    page.get_by_role("button", name="Star").click()
    expect(page.get_by_text("Reviewed 4 images")).to_be_visible()
    states = ReviewBook(store).states()
    assert sum(state.star for key, state in states.items() if "@" in key) == 4
