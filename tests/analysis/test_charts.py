from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sparkcore.analysis import charts, summaries
from sparkcore.analysis.metrics import evaluate
from tests.analysis.tables import row, table_of

CAT, DOG = ("n1", "cat", 0.75), ("n2", "dog", 0.25)
TABLE = table_of(
    row("1.jpg", CAT, DOG, truth="cat"), row("2.jpg", CAT, DOG, truth="dog"), row("3.jpg", DOG, CAT, truth="dog")
)
EVALUATION = evaluate(TABLE)
LABELS = summaries.label_counts(TABLE)
SCORES = summaries.histogram(TABLE, "score", bins=4)
PAIRS = summaries.guess_pairs(TABLE)


def values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that a chart draws."""
    return spec["datasets"][spec["data"]["name"]]


@pytest.mark.parametrize(
    ("chart", "name", "select"),
    [
        (charts.label_bars(LABELS), "label", {"type": "point", "fields": ["label"]}),
        (charts.pair_bars(PAIRS), "pair", {"type": "point", "fields": ["first", "second"]}),
        (charts.histogram(SCORES, "score"), "brush", {"type": "interval", "encodings": ["x"]}),
        (charts.confusion(EVALUATION.block), "cell", {"type": "point", "fields": ["truth", "label"]}),
        (charts.label_bars(LABELS, selection="other"), "other", {"type": "point", "fields": ["label"]}),
    ],
)
def test_selections_are_named(chart: Any, name: str, select: dict[str, Any]):
    assert chart.to_dict()["params"] == [{"name": name, "select": select}]


@pytest.mark.parametrize(
    "chart",
    [
        charts.label_bars(LABELS, selection=None),
        charts.pair_bars(PAIRS, selection=None),
        charts.histogram(SCORES, "score", selection=None),
        charts.confusion(EVALUATION.block, selection=None),
    ],
)
def test_still_pictures_have_no_selection(chart: Any):
    assert "params" not in chart.to_dict()


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        (charts.label_bars(LABELS), "Images per label: 2 values, the greatest 2 at cat."),
        (charts.pair_bars(PAIRS), "Images per pair of first and second: 2 values, the greatest 2 at cat → dog."),
        (charts.histogram(SCORES, "score"), "Images by score: 4 values, the greatest 2 at 0.75."),
        (charts.confusion(EVALUATION.block), "Images by true and guessed class: 3 values, the greatest 1 at dog."),
        (charts.histogram(SCORES.slice(0, 0), "score"), "Images by score: nothing to show."),
    ],
)
def test_charts_describe_themselves(chart: Any, expected: str):
    assert chart.to_dict()["description"] == expected


def test_the_rest_is_told_but_not_drawn():
    spec = charts.label_bars(summaries.label_counts(TABLE, top=1)).to_dict()
    assert values(spec) == [{"label": "cat", "count": 2, "share": pytest.approx(2 / 3), "is_rest": False}]
    assert spec["encoding"]["x"]["title"] == "images (1 more have 1 other label)"


def test_few_images_give_an_axis_of_whole_numbers():
    assert charts.label_bars(LABELS).to_dict()["encoding"]["x"]["axis"]["values"] == [0, 1, 2]
    many = pa.table({"label": ["a"], "count": [1000], "share": [1.0], "is_rest": [False]})
    assert "values" not in charts.label_bars(many).to_dict()["encoding"]["x"]["axis"]
    assert charts.label_bars(many).to_dict()["encoding"]["x"]["axis"]["tickMinStep"] == 1


def test_histograms_keep_their_bins():
    spec = charts.histogram(SCORES, "score").to_dict()
    assert [(v["low"], v["high"], v["count"]) for v in values(spec)] == [
        (0.0, 0.25, 0),
        (0.25, 0.5, 1),
        (0.5, 0.75, 0),
        (0.75, 1.0, 2),
    ]
    assert spec["encoding"]["x"]["scale"] == {"domain": [0.0, 1.0]}
    assert "color" not in spec["encoding"]
    by_label = summaries.histogram_by_label(TABLE, "score", ("cat", "dog"), bins=2)
    assert charts.histogram(by_label, "score").to_dict()["encoding"]["color"]["field"] == "label"


def test_coverage_draws_accuracy_where_it_is_known():
    def series(spec: dict[str, Any]) -> set[str]:
        return {found["series"] for rows in spec["datasets"].values() for found in rows if "series" in found}

    assert series(charts.coverage(summaries.coverage(TABLE)).to_dict()) == {"images kept"}
    known = charts.coverage(EVALUATION.thresholds, threshold=0.5).to_dict()
    assert series(known) == {"images kept", "accuracy of these"}
    assert [layer["mark"]["type"] for layer in known["layer"]] == ["line", "rule"]


def test_confusion_draws_only_cells_with_images():
    spec = charts.confusion(EVALUATION.block).to_dict()
    assert [(v["truth"], v["label"], v["count"]) for v in values(spec)] == [
        ("dog", "dog", 1),
        ("dog", "cat", 1),
        ("cat", "cat", 1),
    ]
    assert spec["encoding"]["x"]["scale"] == {"domain": ["dog", "cat"]}


def test_layers_are_those_of_the_tables():
    boxes = charts.score_box(summaries.score_spread(TABLE)).to_dict()
    assert [layer["mark"]["type"] for layer in boxes["layer"]] == ["rule", "bar", "tick"]
    ideal = charts.reliability(EVALUATION.reliability).to_dict()
    assert [layer["mark"]["type"] for layer in ideal["layer"]] == ["bar", "line"]
