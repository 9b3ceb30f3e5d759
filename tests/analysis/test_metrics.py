from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sparkcore.analysis.metrics import (
    accuracy_at_thresholds,
    calibration,
    evaluate,
    expected_calibration_error,
)
from sparkcore.classes import ClassName
from sparkcore.errors import RequestError
from sparkcore.runs.class_names import with_class_names
from tests.analysis.tables import failed, row, table_of

CAT, DOG, OWL = (("n1", "cat", 0.5), ("n2", "dog", 0.25), ("n3", "owl", 0.75))
TABLE = table_of(
    row("1.jpg", CAT, DOG, truth="cat"),
    row("2.jpg", CAT, DOG, truth="n1_cat"),
    row("3.jpg", CAT, DOG, truth="dog"),
    row("4.jpg", OWL, DOG, truth="cat"),
    row("5.jpg", OWL, DOG, truth="zebra"),
    row("6.jpg", OWL, DOG),
    failed("7.jpg", "empty", truth="cat"),
)


def test_evaluate_counts_images_with_true_label_and_prediction():
    found = evaluate(TABLE)
    assert (found.support, found.top_1, found.top_k, found.depth, found.unmatched) == (5, 0.4, 0.6, 2, 1)


def test_evaluate_tells_what_the_model_cannot_name():
    classes = tuple(ClassName(class_id, label) for class_id, label, _ in (CAT, DOG, OWL))
    more = table_of(row("8.jpg", OWL, truth="n01534433"), row("9.jpg", OWL, truth="zebra"))
    found = evaluate(with_class_names(pa.concat_tables([TABLE, more]), classes))
    assert found.numbers() == {
        "support": 7,
        "top_1": 2 / 7,
        "top_k": 3 / 7,
        "depth": 2,
        "unmatched": 3,
        "unmatched_classes": 2,
        "matched_top_1": 0.5,
        "matched_top_k": 0.75,
        "classes_known": True,
        "calibration_error": found.calibration_error,
    }
    assert list(found.sentences()) == [
        f"top-1 28.6 %, top-2 42.9 %, calibration error {100 * found.calibration_error:.1f} %",
        "The model does not know 2 of the true classes (3 images).",
        "On the other 4 images: top-1 50.0 %, top-2 75.0 %",
    ]


def test_a_class_that_is_never_predicted_is_one_that_the_model_knows():
    classes = tuple(ClassName(class_id, label) for class_id, label, _ in (CAT, DOG, OWL, ("n4", "zebra", 0.0)))
    found = evaluate(with_class_names(TABLE, classes))
    assert (found.unmatched, found.unmatched_classes, found.matched_top_1) == (0, 0, found.top_1)
    assert len(list(found.sentences())) == 1


def test_where_the_model_knows_no_true_class_there_is_no_other_accuracy():
    found = evaluate(with_class_names(table_of(row("1.jpg", CAT, truth="zebra")), (ClassName("n1", "cat"),)))
    assert (found.unmatched, found.matched_top_1, found.matched_top_k) == (1, None, None)
    assert list(found.sentences())[1:] == ["The model does not know 1 of the true classes (1 image)."]


def test_evaluate_without_the_models_classes_says_so():
    found = evaluate(TABLE)
    assert (found.classes_known, found.unmatched, found.matched_top_1) == (False, 1, 0.5)
    assert len(list(found.sentences())) == 1


def test_evaluate_judges_each_class():
    assert evaluate(TABLE).classes.to_pylist() == [
        {"name": "cat", "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "support": 3, "predicted": 3},
        {"name": "dog", "precision": None, "recall": 0.0, "f1": 0.0, "support": 1, "predicted": 0},
        {"name": "zebra", "precision": None, "recall": 0.0, "f1": 0.0, "support": 1, "predicted": 0},
        {"name": "owl", "precision": 0.0, "recall": None, "f1": 0.0, "support": 0, "predicted": 2},
    ]


def test_evaluate_lists_mistakes_by_count():
    twice = table_of(*(row(f"{n}.jpg", CAT, truth="dog") for n in range(2)), row("x.jpg", DOG, truth="cat"))
    assert evaluate(twice).pairs.to_pylist() == [
        {"truth": "dog", "label": "cat", "count": 2},
        {"truth": "cat", "label": "dog", "count": 1},
    ]
    assert evaluate(TABLE.slice(0, 1)).pairs.to_pylist() == []


def test_block_has_every_cell_of_the_classes_confused_most():
    table = table_of(
        *(row(f"owl{n}.jpg", OWL, truth="owl") for n in range(9)),
        *(row(f"dog{n}.jpg", CAT, truth="dog") for n in range(3)),
        row("cat.jpg", CAT, truth="cat"),
    )
    assert evaluate(table, block_classes=2).block.to_pylist() == [
        {"truth": "dog", "label": "dog", "count": 0, "share": 0.0},
        {"truth": "dog", "label": "cat", "count": 3, "share": 1.0},
        {"truth": "cat", "label": "dog", "count": 0, "share": 0.0},
        {"truth": "cat", "label": "cat", "count": 1, "share": 1.0},
    ]
    block = evaluate(table, block_classes=9).block
    assert block.filter(block["count"].to_numpy() > 0).to_pylist() == [
        {"truth": "dog", "label": "cat", "count": 3, "share": 1.0},
        {"truth": "cat", "label": "cat", "count": 1, "share": 1.0},
        {"truth": "owl", "label": "owl", "count": 9, "share": 1.0},
    ]


def test_evaluate_of_some_rows_keeps_the_names_of_the_whole():
    found = evaluate(TABLE, np.array([2, 5]))
    assert (found.support, found.top_1, found.top_k) == (1, 0.0, 1.0)
    assert found.pairs.to_pylist() == [{"truth": "dog", "label": "cat", "count": 1}]


@pytest.mark.parametrize("rows", [[5], [6], []])
def test_evaluate_without_truth_says_what_to_do(rows: list[int]):
    with pytest.raises(RequestError, match="Run again with truth set to folder or filename"):
        evaluate(TABLE, np.array(rows, dtype=np.int64))


def test_calibration_bins_are_closed_above():
    bins = calibration(np.array([0.0, 0.5, 0.51, 1.0], np.float32), np.array([False, True, True, True]), bins=2)
    assert bins.select(["low", "high", "count", "accuracy"]).to_pylist() == [
        {"low": 0.0, "high": 0.5, "count": 2, "accuracy": 0.5},
        {"low": 0.5, "high": 1.0, "count": 2, "accuracy": 1.0},
    ]
    assert bins["confidence"].to_pylist() == pytest.approx([0.25, 0.755])


def test_calibration_error_weighs_bins_by_images():
    # Two bins: 3 images at 0.9 of which 1 is correct, 1 image at 0.25 that is correct; an empty bin does not count.
    scores = np.array([0.9, 0.9, 0.9, 0.25], np.float32)
    bins = calibration(scores, np.array([True, False, False, True]))
    assert bins["count"].to_pylist() == [0] * 3 + [1] + [0] * 9 + [3] + [0]
    assert expected_calibration_error(bins) == pytest.approx(0.75 * (0.9 - 1 / 3) + 0.25 * 0.75)


def test_perfect_calibration_has_no_error():
    assert expected_calibration_error(calibration(np.ones(4, np.float32), np.ones(4, bool))) == 0.0


def test_thresholds_keep_scores_that_are_equal():
    curve = accuracy_at_thresholds(np.array([0.7, 0.2, 0.9], np.float32), np.array([True, False, False]))
    rows = {round(row["threshold"], 2): (row["images"], row["accuracy"]) for row in curve.to_pylist()}
    assert len(rows) == 101
    assert [rows[t] for t in (0.0, 0.2, 0.21, 0.7, 0.71, 0.9, 0.91, 1.0)] == [
        (3, 1 / 3),
        (3, 1 / 3),
        (2, 0.5),
        (2, 0.5),
        (1, 0.0),
        (1, 0.0),
        (0, None),
        (0, None),
    ]
