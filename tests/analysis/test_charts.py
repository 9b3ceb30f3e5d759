from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sparkcore.analysis import aggregates, charts
from sparkcore.analysis.metrics import evaluate
from tests.analysis.tables import row, table_of

CAT, DOG = ("n1", "cat", 0.75), ("n2", "dog", 0.25)
TABLE = table_of(
    row("1.jpg", CAT, DOG, truth="cat"), row("2.jpg", CAT, DOG, truth="dog"), row("3.jpg", DOG, CAT, truth="dog")
)
EVALUATION = evaluate(TABLE)
LABELS = aggregates.label_counts(TABLE)
SCORES = aggregates.histogram(TABLE, "score", bins=4)
PAIRS = aggregates.prediction_pairs(TABLE)


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
        (charts.label_bars(LABELS, selection="group"), "group", {"type": "point", "fields": ["group"]}),
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
def test_static_charts_have_no_selection(chart: Any):
    assert "params" not in chart.to_dict()


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        (charts.label_bars(LABELS), "Images per label: 2 values, maximum 2 at cat."),
        (
            charts.pair_bars(PAIRS),
            "Images by first prediction and second prediction: 2 values, maximum 2 at cat → dog.",
        ),
        (charts.histogram(SCORES, "score"), "Images by score: 4 values, maximum 2 at 0.75."),
        (charts.confusion(EVALUATION.block), "Images by true label and prediction: 3 values, maximum 1 at dog."),
        (charts.histogram(SCORES.slice(0, 0), "score"), "Images by score: nothing to show."),
    ],
)
def test_charts_describe_themselves(chart: Any, expected: str):
    assert chart.to_dict()["description"] == expected


def test_remaining_labels_are_named_but_not_drawn():
    spec = charts.label_bars(aggregates.label_counts(TABLE, top=1)).to_dict()
    assert [(v["label"], v["count"], v["is_rest"]) for v in values(spec)] == [("cat", 2, False)]
    assert spec["encoding"]["x"]["title"] == "images (1 more in 1 other label)"


def test_class_names_are_shown_with_spaces():
    owl = ("n3", "great_grey_owl", 0.9)
    table = table_of(row("1.jpg", owl, CAT, truth="cat"))
    block, pairs = evaluate(table).block, aggregates.prediction_pairs(table)
    bars = charts.label_bars(aggregates.label_counts(table)).to_dict()
    assert bars["description"].endswith("at great grey owl.")
    # Selections return the raw name; axes, legends and tooltips show the display name.
    assert [(v["label"], v["label_name"]) for v in values(bars)] == [("great_grey_owl", "great grey owl")]
    assert "replace(datum.label" in bars["encoding"]["y"]["axis"]["labelExpr"]
    for chart in (charts.pair_bars(pairs), charts.confusion(block), charts.label_bars(aggregates.label_counts(table))):
        fields = [tooltip["field"] for tooltip in chart.to_dict()["encoding"]["tooltip"]]
        assert not {"label", "truth", "first", "second"} & set(fields)
    by_label = aggregates.histogram_by_label(table, "score", ("great_grey_owl",))
    legend = charts.histogram(by_label, "score").to_dict()["encoding"]["color"]["legend"]
    assert "replace(datum.label" in legend["labelExpr"]


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
    by_label = aggregates.histogram_by_label(TABLE, "score", ("cat", "dog"), bins=2)
    assert charts.histogram(by_label, "score").to_dict()["encoding"]["color"]["field"] == "label"


def test_coverage_draws_accuracy_where_it_is_known():
    def series(spec: dict[str, Any]) -> set[str]:
        return {found["series"] for rows in spec["datasets"].values() for found in rows if "series" in found}

    assert series(charts.coverage(aggregates.coverage(TABLE)).to_dict()) == {"images kept"}
    known = charts.coverage(EVALUATION.thresholds, threshold=0.5).to_dict()
    assert series(known) == {"images kept", "accuracy"}
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
    boxes = charts.score_box(aggregates.score_spread(TABLE)).to_dict()
    assert [layer["mark"]["type"] for layer in boxes["layer"]] == ["rule", "bar", "tick"]
    ideal = charts.reliability(EVALUATION.reliability).to_dict()
    assert [layer["mark"]["type"] for layer in ideal["layer"]] == ["bar", "line"]
