"""Texts and addresses that somebody wrote to break a page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import text
from pages.components.frame import PAGES
from sparkcore import client
from sparkcore.analysis.filters import FILTER_KEYS
from sparkcore.config import RunConfig
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.mapped import forget
from sparkcore.runs.notes import Note, write_note
from sparkcore.runs.store import RunStore
from tests.analysis.tables import failed, row
from tests.pages.conftest import ROOT, OpenPage, plain
from tests.pages.stored_runs import store_run
from tests.runs_fixture import write_run

HOSTILE = "<b>no</b> [run](javascript:alert(1)) `in` /a*b_c"
TAG = "<img src=x onerror=alert(1)>"
LINK = "[run](javascript:alert(1))"
_PARAMETERS = (
    *(
        "run",
        "image",
        "page",
        "per",
        "seed",
        "sort",
        "zoom",
        "at",
        "with",
        "split",
        "threshold",
        "top",
        "job",
        "repeat",
    ),
    *FILTER_KEYS,
)
QUERIES = {
    "garbage": "\0\n\t'\";--<b>%00../..{}[]*",
    "huge": "9" * 20_000,
    "unicode": "\u202e\u200b\ufeff写真\U0001f408\u0301" * 9,
    "negative": "-1",
    "not finite": "nan",
    "infinite": "inf",
    "large": "999999999",
    "nothing": "",
}


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
    assert app.toast[0].value.startswith(f"{text.escape(HOSTILE)} :small[Error ")


def test_an_error_of_cancelling_is_shown_letter_for_letter(
    store: RunStore, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
):
    def fail(_job_id: str) -> None:
        raise RunNotFoundError(HOSTILE)

    job = JobTable(store.jobs_path).submit(RunConfig(images="/photos", model="efficientnet_lite0"))
    app = open_page("run")
    monkeypatch.setattr(client, "cancel", fail)
    app.button(key=f"cancel_{job.job_id}").click().run()
    assert app.toast[0].value.startswith(f"{text.escape(HOSTILE)} :small[Error ")


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


@pytest.mark.parametrize("page", sorted(PAGES))
def test_any_query_string_opens_a_page(store: RunStore, open_page: OpenPage, page: str):
    run = write_run(store, rows=12)
    for value in QUERIES.values():
        for query in (dict.fromkeys(_PARAMETERS, value), {name: [value, value] for name in _PARAMETERS}):
            app = open_page(page, **{**query, "run": run})
            assert app.title[0].value == PAGES[page][0]
    assert plain(open_page(page, **dict.fromkeys(_PARAMETERS, QUERIES["garbage"])).title[0].value) == PAGES[page][0]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_names_labels_and_notes_are_texts(store: RunStore, open_page: OpenPage, page: str):
    hostile = f"{TAG}{LINK}"
    rows = [
        row(f"{hostile}{number}.jpg", (f"n{number}", hostile, 0.9), ("n9", f"{hostile} too", 0.05), truth=hostile)
        for number in range(3)
    ] + [failed(f"{hostile}.png", "truncated", hostile)]
    store_run(store, [{**one, "image_id": f"{number:016x}"} for number, one in enumerate(rows)], images=f"/{hostile}")
    _, manifest = store_run(store, run_id="fedcba9876543210", images=f"/{hostile}")
    write_note(store, manifest.run_id, Note(hostile, hostile))
    job = JobTable(store.jobs_path).submit(RunConfig(images=f"/{hostile}", model="efficientnet_lite0"))
    JobTable(store.jobs_path).finish(job.job_id, "failed", message=hostile)
    app = open_page(page, run="0123456789abcdef", label=hostile, name=hostile, image=f"{3:016x}")
    html = [one.proto.body for one in app.get("html")]
    assert [one for one in markdown(app) if TAG in one or LINK in one] + [one for one in html if TAG in one] == []
    assert any("onerror" in one for one in [*markdown(app), *html, *(str(box.options) for box in app.selectbox)])


def markdown(app: AppTest) -> list[str]:
    """Return all texts of a page that the browser takes for Markdown."""
    shown = [app.title, app.header, app.subheader, app.markdown, app.caption, app.error, app.warning, app.success]
    texts = [str(one.value) for kind in (*shown, app.info) for one in kind]
    labels = [str(one.label) for kind in (app.button, app.expander, app.get("page_link")) for one in kind]
    return texts + labels


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_run_that_is_deleted_while_it_is_open(store: RunStore, open_page: OpenPage, page: str):
    run = write_run(store, rows=12)
    other = write_run(store, rows=10, day=-1)
    app = open_page(page, run=run)
    store.delete(run)
    forget(store, run)
    app.run()
    assert not app.exception
    if page != "run":
        assert plain(app.error[0].value).startswith(f"There is no run {run} in this store.")
        app.selectbox(key="frame_run").select(other).run()
        assert not app.exception
        assert not app.error


def test_an_error_has_an_id_that_is_in_the_log(store: RunStore, open_page: OpenPage):
    write_run(store, rows=12)
    app = open_page("gallery", run="no-run")
    number = app.error[0].value.rpartition("Error ")[2].rstrip("]")
    log = (store.state / "logs" / "dashboard.log").read_text()
    assert f"error {number}: RunNotFoundError: Expected the id of a run" in log
    assert "Traceback" not in log


def test_an_exception_that_nobody_expects_is_one_line_on_the_page(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: str) -> None:
        raise ZeroDivisionError(HOSTILE)

    write_run(store, rows=12)
    monkeypatch.setattr("pages.components.frame.heading", fail)
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60).run()
    assert not app.exception
    (said,) = [one.value for one in app.error]
    assert said.startswith("Something went wrong here that should not.")
    log = (store.state / "logs" / "dashboard.log").read_text()
    assert f"error {said.split('the error ')[1][:6]}: ZeroDivisionError: {HOSTILE}" in log
    assert "Traceback" in log
    caplog.clear()
