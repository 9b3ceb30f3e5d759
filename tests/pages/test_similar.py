"""Similar pictures, heat maps, duplicates and quality, on runs with and without features."""

from __future__ import annotations

import csv
import io

import pyarrow as pa

from pages.components import duplicates
from pages.components.opened import open_run
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of, drawn, plain
from tests.runs_fixture import LABELS, write_run


def table_of(store: RunStore, run: str) -> pa.Table:
    return map_results(store, run)


def notes_of(tiles: list[dict[str, str]]) -> list[str]:
    return [tile["note"] for tile in tiles]


def test_the_strip_and_the_order_by_similarity(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=40)
    table = table_of(store, run)
    image, label = table["image_id"][0].as_py(), table["truth"][0].as_py()
    truths = dict(zip(table["image_id"].to_pylist(), table["truth"].to_pylist(), strict=True))
    strip = drawn(open_page("image", run=run, image=image), "tiles")[-1]
    assert len(strip) == 12
    alike = sum(truth == label for truth in truths.values()) - 1
    readable = strip[: alike - 2]  # one or two of the class are unreadable
    assert {truths[tile["image_id"]] for tile in readable} == {label}
    assert all(note.endswith("% similar") for note in notes_of(strip))

    app = open_page("gallery", run=run, sort="similar-desc", like=image)
    wall = drawn(app, "tiles")[0]
    assert [tile["image_id"] for tile in wall[:13]] == [image, *(tile["image_id"] for tile in strip)]
    assert notes_of(wall)[1:13] == notes_of(strip)
    assert "like=" in wall[1]["href"]
    only = LABELS[1][1]
    filtered = drawn(open_page("gallery", run=run, sort="similar-desc", like=image, label=only), "tiles")[0]
    assert {tile["label"] for tile in filtered} == {only}
    app.button(key="chip_like").click().run()
    assert address_of(app) == {"run": [run]}
    assert "similar-desc" not in app.selectbox[0].options


def test_a_run_without_features_says_so(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12, features=False)
    image = table_of(store, run)["image_id"][0].as_py()
    app = open_page("image", run=run, image=image)
    assert any("This run has no embeddings: the run was started with" in plain(one.value) for one in app.caption)
    app = open_page("gallery", run=run, sort="similar-desc", like=image)
    assert "has no embeddings" in app.warning[0].value
    assert len(drawn(app, "tiles")[0]) == 12


def test_duplicates(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=40)
    app = open_page("duplicates", run=run)
    opened = open_run(store, run)
    found = duplicates.groups(opened)
    assert found
    assert any(f"**{len(found):,} group" in one.value for one in app.markdown)
    walls = drawn(app, "tiles")
    assert [len(wall) for wall in walls] == [min(len(group.rows), 12) for group in found[:10]]
    assert all(wall[0]["note"].startswith("keep · ") for wall in walls)
    rows = list(csv.DictReader(io.StringIO(duplicates.keep_list(opened, found).decode("utf-8-sig"))))
    assert sum(row["keep"] == "true" for row in rows) == len(found)
    assert len(rows) == sum(len(group.rows) for group in found)
    app = open_page("duplicates", run=run, kind="exact")
    assert app.success[0].value == "No duplicates: all pictures differ."


def test_quality_with_thresholds_to_move(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=20, error_every=0)
    app = open_page("problems", run=run, quality="bright", q_bright="0.5")
    assert app.slider(key="threshold_bright").value == 0.5
    wall = drawn(app, "tiles")[0]
    assert all(tile["note"].startswith("brightness 0.") for tile in wall)
    values = [float(tile["note"].split()[1]) for tile in wall]
    assert values == sorted(values, reverse=True)
    assert min(values) >= 0.5
    app.slider(key="threshold_bright").set_value(1.0).run()
    assert "q_bright" in address_of(app)
    assert app.success[-1].value == "No picture is bright by this threshold."
