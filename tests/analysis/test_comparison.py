from __future__ import annotations

import pyarrow as pa
import pytest

from sparkcore.analysis.comparison import ConfigChange, change_block, compare, config_changes
from sparkcore.schema import image_id
from tests.analysis.tables import failed, row, table_of

CAT, DOG, OWL = ("n1", "cat", 0.5), ("n2", "dog", 0.5), ("n3", "owl", 0.75)
LEFT = table_of(
    row("gone.jpg", CAT),
    row("same.jpg", CAT),
    row("changed.jpg", CAT),
    row("more.jpg", DOG),
    row("lost.jpg", CAT),
    failed("gained.jpg", "truncated"),
    failed("never.jpg", "empty"),
)
RIGHT = table_of(
    failed("never.jpg", "empty"),
    row("gained.jpg", CAT),
    failed("lost.jpg", "truncated"),
    row("more.jpg", ("n1", "cat", 1.0)),
    row("changed.jpg", OWL),
    row("same.jpg", ("n1", "cat", 0.25)),
    row("new.jpg", CAT),
)


def test_compare_joins_by_image():
    found = compare(LEFT, RIGHT)
    assert (found.only_left.tolist(), found.only_right.tolist()) == ([0], [6])
    assert (found.both, found.judged, found.lost, found.gained) == (6, 3, 1, 1)
    assert found.agreement == pytest.approx(1 / 3)


def test_compare_shows_what_changed():
    found = compare(LEFT, RIGHT)
    assert found.pairs.to_pylist() == [
        {"left": "cat", "right": "owl", "count": 1},
        {"left": "dog", "right": "cat", "count": 1},
    ]
    assert found.changed.to_pylist() == [
        {
            "image_id": image_id("file:/data/more.jpg"),
            "file_name": "more.jpg",
            "left_label": "dog",
            "right_label": "cat",
            "left_score": 0.5,
            "right_score": 1.0,
            "score_change": 0.5,
        },
        {
            "image_id": image_id("file:/data/changed.jpg"),
            "file_name": "changed.jpg",
            "left_label": "cat",
            "right_label": "owl",
            "left_score": 0.5,
            "right_score": 0.75,
            "score_change": 0.25,
        },
    ]
    bins = {round(b["low"], 2): b["count"] for b in found.score_changes.to_pylist() if b["count"]}
    assert bins == {-0.25: 1, 0.25: 1, 0.5: 1}


def test_a_run_agrees_with_itself():
    found = compare(LEFT, LEFT)
    assert (found.agreement, found.pairs.num_rows, found.changed.num_rows) == (1.0, 0, 0)


def test_runs_without_a_common_image_have_no_agreement():
    found = compare(LEFT.slice(0, 1), RIGHT.slice(6))
    assert (found.both, found.agreement, found.only_left.tolist(), found.only_right.tolist()) == (0, None, [0], [0])
    assert compare(table_of(), table_of()).agreement is None


def test_models_without_common_ids_agree_by_label():
    other = table_of(row("same.jpg", ("7", "CAT", 0.5)), row("changed.jpg", (None, "dog", 0.5)))
    assert compare(LEFT, other).agreement == 0.5


def test_classes_of_one_label_differ_by_id():
    bird, machine = (
        table_of(row("a.jpg", ("n8", "crane", 0.5)), row("b.jpg", ("n9", "crane", 0.5))),
        ("n9", "crane", 0.5),
    )
    assert compare(bird, table_of(row("a.jpg", machine), row("b.jpg", machine))).agreement == 0.5


def test_change_block_has_the_labels_of_the_most_frequent_changes():
    pairs = pa.table({"left": ["cat", "cat", "dog"], "right": ["dog", "owl", "cat"], "count": [6, 2, 1]})
    assert change_block(pairs).to_pylist() == [
        {"left": "cat", "right": "dog", "count": 6, "share": 0.75},
        {"left": "cat", "right": "owl", "count": 2, "share": 0.25},
        {"left": "dog", "right": "cat", "count": 1, "share": 1.0},
    ]
    assert change_block(pairs, labels=1).to_pylist() == [{"left": "cat", "right": "dog", "count": 6, "share": 0.75}]
    assert change_block(pairs.slice(0, 0)).num_rows == 0


def test_config_changes_name_settings_model_and_versions():
    left = {
        "config": {"images": "x", "resize": "stretch", "top_k": 5},
        "model": {"name": "efficientnet_lite0", "input": {"height": 64}},
        "versions": {"pyspark": "4.3.0"},
        "run_id": "a",
    }
    right = {
        "config": {"images": "x", "resize": "crop", "top_k": 5, "sample": 10},
        "model": {"name": "efficientnet_lite0", "input": {"height": 224}},
        "run_id": "b",
    }
    assert config_changes(left, right) == [
        ConfigChange("config.resize", "stretch", "crop"),
        ConfigChange("config.sample", None, 10),
        ConfigChange("model.input.height", 64, 224),
        ConfigChange("versions.pyspark", "4.3.0", None),
    ]
    assert config_changes(left, left) == []
