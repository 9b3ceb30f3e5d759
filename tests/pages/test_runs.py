from __future__ import annotations

import json
from pathlib import Path

from sparkcore.runs.layout import plan_name
from sparkcore.runs.mapped import map_results
from sparkcore.runs.notes import Note, read_notes, write_note
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of
from tests.runs_fixture import write_run


def test_the_table_lists_all_runs_newest_first(store: RunStore, open_page: OpenPage):
    old = write_run(store, rows=30)
    new = write_run(store, rows=12, day=1, model="mobilenet_v2", truth=False)
    write_note(store, old, Note("Baseline", "As it was"))
    table = open_page("runs").dataframe[0].value
    assert table.drop(columns=["Size (MB)"]).to_dict("records") == [
        {
            "When (UTC)": "2026-01-03 03:04",
            "Name": "photos · mobilenet_v2",
            "Model": "mobilenet_v2",
            "Settings": "",
            "Images": 12,
            "Unreadable": 1,
            "Images/s": 1.0,
            "Time (s)": 12.0,
            "Run": new,
        },
        {
            "When (UTC)": "2026-01-02 03:04",
            "Name": "Baseline",
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


def test_runs_that_were_not_finished_are_said(store: RunStore, open_page: OpenPage):
    write_run(store, rows=12)
    store.storage.write(plan_name("0123456789abcdef"), b"{}")
    captions = [caption.value for caption in open_page("runs").caption]
    assert any(text.startswith("1 unfinished: `0123456789abcdef`") for text in captions)


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
