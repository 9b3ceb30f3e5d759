"""Texts and addresses that somebody wrote to break a page."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import text
from pages.components.frame import PAGES
from sparkcore import client
from sparkcore.analysis.filters import FILTER_KEYS
from sparkcore.analysis.policies import save_policy
from sparkcore.analysis.policy import Policy
from sparkcore.analysis.quality import Thresholds
from sparkcore.config import RunConfig
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.pictures import pictures_at
from sparkcore.reviews.review import CLASS, Answer, Change, Entry
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.mapped import forget, map_results
from sparkcore.runs.notes import Note, write_note
from sparkcore.runs.store import RunStore
from sparkcore.runs.views import save_view
from tests.analysis.tables import failed, row
from tests.pages.conftest import ROOT, OpenPage, ask, plain
from tests.pages.request_form import PREFIX, press, use_folder
from tests.pages.stored_runs import store_run
from tests.runs_fixture import write_run

HOSTILE = "<b>no</b> [run](javascript:alert(1)) `in` /a*b_c"
TAG = "<img src=x onerror=alert(1)>"
LINK = "[run](javascript:alert(1))"
_PARAMETERS = (
    *("run", "image", "page", "per", "seed", "sort", "zoom", "at", "like", "with", "split", "threshold", "top"),
    *("job", "repeat", "features", "kind", "queue", "quality", "precision", "reject", "sure", "by"),
    *("change", "delta", "outcome", "runs_tag", "prefer", "policy", "list"),
    *(f"q_{field.name}" for field in fields(Thresholds)),
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
    "digits of other scripts": "\u00b2\u0663",
    "nearly a number": "1e.",
    "nothing": "",
}
PAIRS = (("garbage", "huge"), ("unicode", "unicode"), ("not finite", "infinite"), ("negative", "large"))


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
def test_a_run_id_that_is_a_path_is_refused(store: RunStore, open_page: OpenPage, page: str):
    app = open_page(page, run=write_run(store, rows=12))
    secret = write_run(RunStore(store.state.parent / "secret"), rows=30)
    for run in ("../../etc", f"../secret/runs/{secret}", f"../../secret/runs/{secret}", HOSTILE):
        ask(app, {"run": run})
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
    write_run(store, rows=12, day=-1, shift=1)
    app = open_page(page, run=run)
    for value in QUERIES.values():
        assert ask(app, {**dict.fromkeys(_PARAMETERS, value), "run": run}).title[0].value == PAGES[page][0]
    for names in PAIRS:
        query: dict[str, str | list[str]] = {name: [QUERIES[one] for one in names] for name in _PARAMETERS}
        assert ask(app, {**query, "run": run}).title[0].value == PAGES[page][0]
    assert ask(app, dict.fromkeys(_PARAMETERS, QUERIES["garbage"])).title[0].value == PAGES[page][0]


def test_these_are_all_parameters_of_the_pages():
    sources = [path.read_text() for path in (ROOT / "pages").rglob("*.py")]
    named = {name for source in sources for name in re.findall(r'address\.get(?:_int)?\(f?"(\w+)"', source)}
    named |= {name for source in sources for name in re.findall(r'address\.writer\(\w+, "(\w+)"', source)}
    named |= {name for source in sources for name in re.findall(r'_number\("[^"]+", "(\w+)", _', source)}
    assert {"kind", "quality", "queue", "precision"} <= named <= set(_PARAMETERS)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_names_labels_and_notes_are_texts(store: RunStore, open_page: OpenPage, page: str):
    hostile = f"{TAG}{LINK}"
    rows = [
        row(f"{hostile}{number}.jpg", (f"n{number}", hostile, 0.9), ("n9", f"{hostile} too", 0.05), truth=hostile)
        for number in range(3)
    ] + [failed(f"{hostile}.png", "truncated", hostile)]
    store_run(store, [{**one, "image_id": f"{number:016x}"} for number, one in enumerate(rows)], images=f"/{hostile}")
    _, manifest = store_run(store, run_id="fedcba9876543210", images=f"/{hostile}")
    write_note(store, manifest.run_id, Note(hostile, hostile, (hostile,)))
    store.write_classes("0123456789abcdef", [], {f"n{number}": (hostile, "Parts", str(number)) for number in range(3)})
    save_view(store, hostile, "gallery", {"run": [manifest.run_id], hostile: [hostile]})
    save_policy(store, Policy(hostile, 0.5, classes={hostile: 0.5}))
    said = Change(Answer(CLASS, hostile, hostile), star=True, add_tags=(hostile,), note=hostile)
    ReviewBook(store).add(hostile, [Entry(said, tuple(pictures_at(map_results(store, "0123456789abcdef"), [0, 3])))])
    job = JobTable(store.jobs_path).submit(RunConfig(images=f"/{hostile}", model="efficientnet_lite0"))
    JobTable(store.jobs_path).finish(job.job_id, "failed", message=hostile)
    filters = {"label": hostile, "name": hostile, "tag": hostile, "group": hostile, "find": hostile}
    app = open_page(page, run="0123456789abcdef", image=f"{0:016x}", **filters)
    html = [one.proto.body for one in app.get("html")]
    assert [one for one in markdown(app) if TAG in one or LINK in one] + [one for one in html if TAG in one] == []
    assert any("onerror" in one for one in [*markdown(app), *html, *(str(box.options) for box in app.selectbox)])


def markdown(app: AppTest) -> list[str]:
    """Return all texts of a page that the browser takes for Markdown."""
    shown = [app.title, app.header, app.subheader, app.markdown, app.caption, app.error, app.warning, app.success]
    texts = [str(one.value) for kind in (*shown, app.info) for one in kind]
    labels = [str(one.label) for kind in (app.button, app.expander, app.get("page_link")) for one in kind]
    choices = [option.content for one in app.button_group for option in one.proto.options]
    return texts + labels + choices


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


def test_a_class_without_letters_is_no_answer(store: RunStore, open_page: OpenPage):
    app = open_page("review", run=write_run(store, rows=12))
    (box,) = [one for one in app.text_input if str(one.key).startswith("answer_new_")]
    box.set_value(" \t ").run()
    assert not app.exception
    assert ReviewBook(store).states() == {}


def test_a_saved_view_that_somebody_has_tampered_with(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    view = {"view_id": "../jobs", "name": "x" * 9000, "page": "gallery", "query": {"embed": ["true"], "\0": ["\0"]}}
    for name in ("a", "b"):  # the same id twice would be the same widget twice
        store.storage.write(f"views/{name}.json", json.dumps(view).encode())
    store.storage.write("views/c.json", json.dumps({**view, "page": "../../dashboard"}).encode())
    app = open_page("gallery", run=run)
    app.button(key="view_delete_a").click().run()
    assert not app.exception
    assert [entry.name for entry in store.storage.list("views")] == ["views/b.json", "views/c.json"]


@pytest.mark.parametrize(
    "text", ["~nobody-there/x", "{" * 5000, "9" * 20_000, "/\N{RIGHT-TO-LEFT OVERRIDE}\n\0", "a/" * 3000]
)
def test_paths_that_nobody_can_have(store: RunStore, open_page: OpenPage, text: str):
    JobTable(store.jobs_path).submit(RunConfig(images=text, model="efficientnet_lite0"))
    app = use_folder(open_page("run"), text)  # which that job suggests
    assert not app.exception
    assert "images: expected" in plain(app.error[0].value)
    app.segmented_control(key=f"{PREFIX}kind").set_value("samples").run()
    app.selectbox(key=f"{PREFIX}model").select("own model file").run()
    app.text_input(key=f"{PREFIX}model_file").set_value(f"{text}.keras").run()
    press(app, "Run")
    assert not app.exception
    assert "File: expected" in plain(app.error[0].value)


def test_an_error_has_an_id_that_is_in_the_log(store: RunStore, open_page: OpenPage):
    write_run(store, rows=12)
    app = open_page("gallery", run="no-run")
    number = app.error[0].value.rpartition("Error ")[2].rstrip("]")
    log = (store.state / "logs" / "dashboard.log").read_text()
    assert f"error {number}: RunNotFoundError: Expected the id of a run" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("way", ["", "pages/gallery.py"])
def test_an_exception_that_nobody_expects_is_one_line_on_the_page(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
):
    def fail(*_: str) -> None:
        raise ZeroDivisionError(HOSTILE)

    write_run(store, rows=12)
    monkeypatch.setattr("pages.components.frame.heading", fail)
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    (app.switch_page(way) if way else app).run()  # the first request to a server may be that of a page
    assert not app.exception
    (said,) = [one.value for one in app.error]
    assert said.startswith("Something went wrong here that should not.")
    log = (store.state / "logs" / "dashboard.log").read_text()
    assert f"error {said.split('the error ')[1][:6]}: ZeroDivisionError: {HOSTILE}" in log
    assert "Traceback" in log
    caplog.clear()
