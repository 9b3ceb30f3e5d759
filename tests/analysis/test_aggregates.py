from __future__ import annotations

import numpy as np
import pytest

from sparkcore.analysis import aggregates
from sparkcore.classes import imagenet_classes
from sparkcore.runs.class_names import with_class_names
from sparkcore.schema import ERROR_TYPES
from tests.analysis.tables import failed, row, table_of


def images(*labels: str, score: float = 0.5) -> list[dict[str, object]]:
    return [row(f"{n}.jpg", (None, label, score)) for n, label in enumerate(labels)]


def test_classes_with_equal_labels_are_counted_apart():
    tights, tank_suit = ("n03710637", "maillot", 0.5), ("n03710721", "maillot", 0.4)
    rows = [row("a.jpg", tights, tank_suit), row("b.jpg", tank_suit, tights), row("c.jpg", tank_suit, tights)]
    table = with_class_names(table_of(*rows), imagenet_classes())
    counts = aggregates.label_counts(table).select(["label", "count"]).to_pylist()
    assert counts == [{"label": "maillot (tank suit)", "count": 2}, {"label": "maillot (tights)", "count": 1}]
    assert aggregates.prediction_pairs(table)["second"].to_pylist() == ["maillot (tights)", "maillot (tank suit)"]


def test_label_counts_puts_the_rest_last():
    table = table_of(*images("a", "b", "b", "c", "d", "c", "c", "e"), failed("x.jpg", "empty"))
    assert aggregates.label_counts(table, top=2).to_pylist() == [
        {"label": "c", "count": 3, "share": 0.375, "is_rest": False},
        {"label": "b", "count": 2, "share": 0.25, "is_rest": False},
        {"label": "3 other labels", "count": 3, "share": 0.375, "is_rest": True},
    ]
    assert aggregates.label_counts(table, top=4)["label"].to_pylist() == ["c", "b", "a", "d", "1 other label"]
    assert aggregates.label_counts(table, top=5)["is_rest"].to_pylist() == [False] * 5
    assert aggregates.label_counts(table, np.array([0, 8])).to_pylist() == [
        {"label": "a", "count": 1, "share": 1.0, "is_rest": False}
    ]


def test_label_counts_of_nothing():
    assert aggregates.label_counts(table_of(failed("x.jpg", "empty"))).to_pylist() == []


def test_histogram_has_fixed_bins():
    table = table_of(
        *(row(f"{s}.jpg", (None, "a", s)) for s in (0.0, 0.24, 0.25, 1.0, 1.0000001)), failed("x.jpg", "empty")
    )
    assert aggregates.histogram(table, "score", bins=4).to_pylist() == [
        {"low": 0.0, "high": 0.25, "count": 2},
        {"low": 0.25, "high": 0.5, "count": 1},
        {"low": 0.5, "high": 0.75, "count": 0},
        {"low": 0.75, "high": 1.0, "count": 2},
    ]
    assert aggregates.histogram(table, "score", np.array([5]), bins=2)["count"].to_pylist() == [0, 0]


def test_entropy_spans_the_whole_table():
    table = table_of(*(row(f"{e}.jpg", (None, "a", 0.5), entropy=e) for e in (0.1, 1.95)))
    found = aggregates.histogram(table, "entropy", np.array([0]), bins=2)
    assert found["high"].to_pylist() == pytest.approx([1.0, 2.0])
    assert found["count"].to_pylist() == [1, 0]
    assert aggregates.histogram(table_of(), "entropy", bins=1).to_pylist() == [{"low": 0.0, "high": 1.0, "count": 0}]


def test_histogram_by_label_keeps_the_order_asked_for():
    table = table_of(row("1.jpg", (None, "a", 0.1)), row("2.jpg", (None, "b", 0.9)), row("3.jpg", (None, "b", 0.8)))
    found = aggregates.histogram_by_label(table, "score", ("b", "a", "zebra"), bins=2)
    assert found.select(["label", "count"]).to_pylist() == [
        {"label": "b", "count": 0},
        {"label": "b", "count": 2},
        {"label": "a", "count": 1},
        {"label": "a", "count": 0},
        {"label": "zebra", "count": 0},
        {"label": "zebra", "count": 0},
    ]
    assert aggregates.histogram_by_label(table, "score", ()).column_names == ["label", "low", "high", "count"]


def test_coverage_counts_scores_at_least_as_high():
    table = table_of(row("1.jpg", (None, "a", 0.7)), row("2.jpg", (None, "a", 0.3)), failed("x.jpg", "empty"))
    curve = aggregates.coverage(table).to_pylist()
    assert [curve[n] for n in (0, 70)] == [
        {"threshold": 0.0, "images": 2, "share": 1.0},
        {"threshold": 0.7, "images": 1, "share": 0.5},
    ]
    assert [curve[n]["images"] for n in (30, 31, 71, 100)] == [2, 1, 0, 0]


def test_prediction_pairs_need_two_predictions():
    a, b, c = ((None, name, 0.3) for name in "abc")
    table = table_of(
        row("1.jpg", a, b), row("2.jpg", b, a, c), row("3.jpg", a, b), row("4.jpg", a), failed("x.jpg", "empty")
    )
    assert aggregates.prediction_pairs(table).to_pylist() == [
        {"first": "a", "second": "b", "count": 2},
        {"first": "b", "second": "a", "count": 1},
    ]
    assert aggregates.prediction_pairs(table, np.array([1, 3]), top=1).to_pylist() == [
        {"first": "b", "second": "a", "count": 1}
    ]


def test_error_counts_explain_the_reason():
    table = table_of(
        *images("a"), *(failed(f"{n}.jpg", kind) for n, kind in enumerate(["empty", "corrupt", "corrupt"]))
    )
    assert aggregates.error_counts(table).to_pylist() == [
        {"error_type": "corrupt", "meaning": ERROR_TYPES["corrupt"], "count": 2},
        {"error_type": "empty", "meaning": ERROR_TYPES["empty"], "count": 1},
    ]
    assert aggregates.error_counts(table, np.array([0])).to_pylist() == []


def test_score_spread_interpolates_quartiles():
    scores = [0.5, 0.0, 0.25, 1.0]
    table = table_of(
        *(row(f"{s}.jpg", (None, "a", s)) for s in scores), row("b.jpg", (None, "b", 0.5)), failed("x", "empty")
    )
    assert aggregates.score_spread(table).to_pylist() == [
        {"label": "a", "count": 4, "minimum": 0.0, "lower": 0.1875, "median": 0.375, "upper": 0.625, "maximum": 1.0},
        {"label": "b", "count": 1, "minimum": 0.5, "lower": 0.5, "median": 0.5, "upper": 0.5, "maximum": 0.5},
    ]
    assert aggregates.score_spread(table, top=1)["label"].to_pylist() == ["a"]
    assert aggregates.score_spread(table, np.array([5])).to_pylist() == []
