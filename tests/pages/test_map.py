"""The page Map: made once, drawn, filtered by a box."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from sparkcore.analysis.layout import lay_out
from sparkcore.runs.layouts import is_laid_out, keep_layout
from sparkcore.runs.store import RunStore
from tests.conftest import wait_until
from tests.pages.conftest import OpenPage, drawn, plain
from tests.runs_fixture import write_run

ROWS = 60  # of which every tenth is unreadable


def handed(app: AppTest) -> dict[str, Any]:
    (found,) = [data for one in app.get("bidi_component") if "points" in (data := json.loads(one.proto.json))]
    return found


def test_the_map_is_made_in_another_process(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=ROWS)
    app = open_page("map", run=run)
    assert not [one for one in app.get("bidi_component") if "points" in json.loads(one.proto.json)]
    wait_until(lambda: is_laid_out(store, store.manifest(run)))
    drawing = handed(open_page("map", run=run))
    assert len(drawing["points"]) == 4 * (ROWS - ROWS // 10)


def test_a_box_is_a_filter_and_the_gallery_shows_it(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=ROWS)
    layout = keep_layout(store, run, lay_out)
    app = open_page("map", run=run)
    drawing = handed(app)
    assert sum(count for _, count, _ in drawing["kinds"]) == ROWS - ROWS // 10
    assert {one["href"].split("?")[0] for one in drawing["pictures"]} == {"image"}
    assert all(one["picture"].startswith("data:image/jpeg;base64,") for one in drawing["pictures"])
    said = f"on average {10 * layout.kept:.1f} are among the 50 nearest"
    assert [said in plain(one.value) for one in app.caption].count(True) == 1

    left = ["0", "0", "0.5", "1"]
    with np.errstate(invalid="ignore"):
        inside = int((layout.places[:, 0] <= 0.5).sum())
    app = open_page("map", run=run, area=left)
    assert handed(app)["area"] == [0, 0, 0.5, 1]
    assert any(f"{inside} images selected" in one.value for one in app.markdown)
    assert app.button(key="chip_area").label == "part of the map"
    app = open_page("gallery", run=run, area=left, per="96")
    assert len(drawn(app, "tiles")[0]) == inside

    app = open_page("map", run=run, area=left)
    next(one for one in app.button if one.label == "Zoom in").click().run()
    assert app.query_params["view"] == left
    assert "area" not in app.query_params
    assert len(handed(app)["points"]) == 4 * inside
    label = drawing["kinds"][0][2]
    app = open_page("map", run=run, label=label)
    assert len(handed(app)["kinds"]) == 1
    assert handed(app)["others"]
    app = open_page("map", run=run, color="correct")
    assert {name: count for name, count, _ in handed(app)["kinds"]} == {"Correct": 36, "Incorrect": 18}


def test_a_run_without_features_has_no_map(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12, features=False)
    app = open_page("map", run=run)
    assert any("This run has no embeddings" in plain(one.value) for one in app.caption)
    assert any(link.proto.label == "Run again with features" for link in app.get("page_link"))


def test_why_there_is_no_map_is_said(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    (store.state / "locks").write_text("in the way")
    app = open_page("map", run=run)
    wait_until(lambda: bool(app.run().error))
    assert "There is no map: " in plain(app.error[0].value)
