"""Texts and addresses that somebody wrote to break a page."""

from __future__ import annotations

import pytest

from pages.components import text
from pages.components.frame import PAGES
from sparkcore import client
from sparkcore.config import RunConfig
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, plain
from tests.runs_fixture import write_run

HOSTILE = "<b>no</b> [run](javascript:alert(1)) `in` /a*b_c"


def test_an_error_of_deleting_is_shown_letter_for_letter(
    store: RunStore, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
):
    def fail(_store: RunStore, _run_id: str) -> None:
        raise RunFailedError(HOSTILE)

    write_run(store, rows=12)
    app = open_page("runs")
    next(button for button in app.button if button.label == "Delete").click().run()
    monkeypatch.setattr(RunStore, "delete", fail)
    app.button(key="delete_for_good").click().run()
    assert app.toast[0].value == text.escape(HOSTILE) != HOSTILE


def test_an_error_of_cancelling_is_shown_letter_for_letter(
    store: RunStore, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
):
    def fail(_job_id: str) -> None:
        raise RunNotFoundError(HOSTILE)

    job = JobTable(store.jobs_path).submit(RunConfig(images="/photos", model="efficientnet_lite0"))
    app = open_page("run")
    monkeypatch.setattr(client, "cancel", fail)
    app.button(key=f"cancel_{job.job_id}").click().run()
    assert app.toast[0].value == text.escape(HOSTILE) != HOSTILE


@pytest.mark.parametrize("page", sorted(set(PAGES) - {"run"}))
@pytest.mark.parametrize("run", ["../../etc", "../secret/runs/x", HOSTILE])
def test_a_run_id_that_is_a_path_is_refused(store: RunStore, open_page: OpenPage, page: str, run: str):
    write_run(store, rows=12)
    write_run(RunStore(store.state.parent / "secret"), rows=30)
    app = open_page(page, run=run)
    assert plain(app.error[0].value) == f"There is no run {run} in this store. Choose another one from the list."
    assert [one.key for one in app.get("bidi_component")] == ["place_watch"]  # no picture is drawn


@pytest.mark.parametrize("name", ["../../etc", HOSTILE])
def test_other_ids_that_are_paths_are_refused(store: RunStore, open_page: OpenPage, name: str):
    run = write_run(store, rows=12)
    other = write_run(store, rows=12, day=1, shift=1)
    app = open_page("run", repeat=name, job=name)
    assert plain(app.warning[0].value).startswith(f"There is no run or job {name} to repeat.")
    app = open_page("compare", **{"run": run, "with": name})
    assert plain(app.warning[0].value).startswith(f"There is no run {name} in this store.")
    assert app.selectbox(key="compare_with").value == other
