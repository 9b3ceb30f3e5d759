from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from pages.components import cards
from sparkcore.analysis.run_card import measure_card
from sparkcore.config import RunConfig
from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.pictures import pictures_at
from sparkcore.reviews.review import CLASS, Answer, Change, Entry
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.layout import plan_name
from sparkcore.runs.mapped import map_results
from sparkcore.runs.notes import Note, read_notes, write_note
from sparkcore.runs.run_cards import RunCard
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of, plain
from tests.planned_run import unfinish, write_planned_run
from tests.runs_fixture import write_run


def test_the_table_lists_all_runs_newest_first(store: RunStore, open_page: OpenPage):
    old = write_run(store, rows=30)
    new = write_run(store, rows=12, day=1, model="mobilenet_v2", truth=False)
    write_note(store, old, Note("Baseline", "As it was"))
    table = open_page("runs").dataframe[0].value
    assert all(address.startswith("data:image/jpeg;base64,") for address in table["Picture"])
    assert table.drop(columns=["Picture", "Size (MB)"]).fillna("").to_dict("records") == [
        {
            "Name": "photos · mobilenet_v2",
            "Accuracy": "",
            "95 % interval": "",
            "When (UTC)": "2026-01-03 03:04",
            "Model": "mobilenet_v2",
            "Settings": "",
            "Images": 12,
            "Unreadable": 1,
            "Images/s": 1.0,
            "Time (s)": 12.0,
            "Run": new,
        },
        {
            "Name": "Baseline",
            "Accuracy": pytest.approx(100 * 18 / 27),
            "95 % interval": "46.0 to 83.5 % of 27 images",
            "When (UTC)": "2026-01-02 03:04",
            "Model": "efficientnet_lite0",
            "Settings": "true labels from folder",
            "Images": 30,
            "Unreadable": 3,
            "Images/s": 2.5,
            "Time (s)": 12.0,
            "Run": old,
        },
    ]
    assert table["Size (MB)"].tolist() == [store.size_bytes(new) / 1e6, store.size_bytes(old) / 1e6]


def test_a_name_and_a_note_are_kept(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    app = open_page("runs", run=run)
    app.text_input[0].input("  First   try ")
    app.text_area[0].input("Too dark")
    next(button for button in app.button if button.label == "Save").click().run()
    assert read_notes(store).of(run) == Note("First try", "Too dark")
    assert app.dataframe[0].value["Name"].tolist() == ["First try"]
    assert app.text_input[0].value == "First try"


def test_tags_are_kept_and_choose_runs(store: RunStore, open_page: OpenPage):
    run, other = write_run(store, rows=12), write_run(store, rows=30, day=1)
    app = open_page("runs", run=run)
    app.multiselect[0].set_value(["night", " blurry  lens "])
    next(button for button in app.button if button.label == "Save").click().run()
    assert read_notes(store).of(run) == Note(tags=("night", "blurry lens"))
    app = open_page("runs", run=other, runs_tag="night")
    table = app.dataframe[0].value
    assert (table["Run"].tolist(), [list(tags) for tags in table["Tags"]]) == ([run], [["night", "blurry lens"]])
    assert open_page("runs", run=other, runs_tag="day").dataframe[0].value["Run"].tolist() == [other, run]


def test_a_card_is_measured_once_and_again_after_a_review(store: RunStore, open_page: OpenPage, monkeypatch: Any):
    run = write_run(store, rows=30, truth=False)
    full = write_run(store, rows=12, error_every=0, day=1)
    measured: list[str] = []

    def measure(*arguments: Any) -> RunCard:
        measured.append(arguments[1].run_id)
        return measure_card(*arguments)

    monkeypatch.setattr(cards, "measure_card", measure)
    for _ in range(2):
        assert open_page("runs").dataframe[0].value["Accuracy"].isna().tolist() == [False, True]
    assert sorted(measured) == sorted([run, full])
    st.cache_resource.clear()  # as in a new process
    open_page("runs")
    assert len(measured) == 2
    table = map_results(store, run)
    said = Answer(CLASS, table["label"][1].as_py(), table["class_id"][1].as_py())
    ReviewBook(store).add("Ann", [Entry(Change(said), tuple(pictures_at(table, [1])))])
    st.cache_data.clear()
    assert open_page("runs").dataframe[0].value["95 % interval"].tolist()[1] == "2.5 to 100.0 % of 1 image"
    assert measured[2:] == [run]


def test_deleting_asks_first(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    other = write_run(store, rows=30, day=1)
    write_note(store, run, Note("Doomed"))
    app = open_page("runs", run=run)
    next(button for button in app.button if button.label == "Delete").click().run()
    assert store.has(run)
    app.button(key="delete_for_good").click().run()
    assert not store.has(run)
    assert read_notes(store).by_run == {}
    assert address_of(app) == {"run": [other]}
    assert app.dataframe[0].value["Run"].tolist() == [other]
    assert [path.name.split("-")[0] for path in (store.state / "mapped").iterdir()] == [other]


def test_what_was_left_out_is_said(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    assert "<dt>Left out</dt>" not in open_page("runs", run=run).get("html")[-1].proto.body
    path = Path(store.folder(run), "manifest.json")
    manifest = json.loads(path.read_text())
    manifest["counts"] |= {"links_left_out": 3, "hidden_left_out": 1}
    path.write_text(json.dumps(manifest))
    said = [html.proto.body for html in open_page("runs", run=run).get("html")]
    assert any("<dt>Left out</dt><dd>3 links, 1 hidden file</dd>" in body for body in said)


def test_actions_lead_to_the_other_pages(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    links = {link.proto.label: link.proto for link in open_page("runs", run=run).get("page_link")}
    assert (links["Open"].page, links["Open"].query_string) == ("gallery", f"run={run}")
    assert (links["Repeat with changes"].page, links["Repeat with changes"].query_string) == (
        "run",
        f"run={run}&repeat={run}",
    )


def test_an_unfinished_run_is_resumed(store: RunStore, open_page: OpenPage, photos: Path):
    write_run(store, rows=12)
    plan = write_planned_run(store, rows=50, day=1, images=str(photos))
    table = JobTable(store.jobs_path)
    job = table.submit(RunConfig(images=str(photos), model="efficientnet_lite0"))
    planned_at = datetime.now(UTC).isoformat()
    table.request_cancel(job.job_id)
    store.storage.write(plan_name(plan.run_id), replace(plan, created_at=planned_at).to_bytes())
    store.storage.delete(plan.folder.receipt(0))
    unfinish(store, plan.run_id)
    store.storage.write(plan_name("0123456789abcdef"), b"{}")
    app = open_page("runs")
    said = [plain(text.value) for text in app.markdown]
    assert f"**photos · efficientnet_lite0** · 30 of 50 images · {planned_at[:16].replace('T', ' ')} UTC" in said
    assert "**0123456789abcdef** · its plan is damaged" in said
    (button,) = [one for one in app.button if one.label == "Resume"]
    button.click().run()
    assert (table.jobs()[0].state, table.jobs()[0].config) == ("queued", job.config)
    assert address_of(app)["job"] == [table.jobs()[0].job_id]


def test_a_run_that_is_deleted_elsewhere_stays_readable_for_its_viewers(store: RunStore):
    run = write_run(store, rows=12)
    table = map_results(store, run)
    store.delete(run)
    assert table.num_rows == 12
    assert table["label"][0].as_py() == "apple"


def test_a_damaged_run_does_not_hide_the_others(store: RunStore, open_page: OpenPage):
    good, bad = write_run(store, rows=12), write_run(store, rows=30, day=1)
    Path(store.folder(bad), "manifest.json").write_text('{"version": 99}')
    assert open_page("runs").dataframe[0].value["Run"].tolist() == [good]
    Path(store.folder(bad), "manifest.json").write_text("{")
    assert open_page("gallery").title[0].value == "Gallery"


def test_an_empty_store(open_page: OpenPage):
    assert open_page("runs").header[0].value == "Nothing has been classified yet"
