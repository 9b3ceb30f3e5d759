"""The panels of the pages: for each small table its chart, its texts and the columns that people see.

A chart fades what the filter on its own field leaves out, so its table must hold what all other filters leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pages.components import text
from pages.components.panel import Panel, emphasize
from sparkcore.analysis import charts
from sparkcore.analysis.comparison import Comparison, change_block
from sparkcore.analysis.filters import Filters, Range
from sparkcore.analysis.metrics import Evaluation

if TYPE_CHECKING:
    import altair as alt

PAIRS_SHOWN = 15
SPLIT_HEIGHT = 290  # pixels: a chart with a legend above it
_MEASURES = {
    "score": ("Scores", "score", "How sure the model is of its prediction: 100 % is certain."),
    "margin": ("Margins", "margin", "Score of the first prediction minus that of the second: near 0 it is a toss-up."),
    "entropy": ("Entropy", "entropy", "How widely the scores are spread over all classes: 0 is certain."),
}
_SPREAD = {
    "minimum": "Minimum",
    "lower": "Lower quartile",
    "median": "Median",
    "upper": "Upper quartile",
    "maximum": "Maximum",
}
_BIN = {"low": ("From", "number"), "high": ("To", "number")}
_SHARE_BIN = {"low": ("From", "share"), "high": ("To", "share")}
_COUNT = {"count": ("Images", "count")}


def labels(counts: pa.Table, wanted: Filters) -> Panel:
    """Return how often each label was predicted; `counts` is `aggregates.label_counts`."""
    chart = charts.label_bars(counts)
    return Panel(
        title="Images per label",
        chart=emphasize(chart, {"label": wanted.labels}) if wanted.labels else chart,
        table=counts,
        columns={"label": ("Label", "label"), **_COUNT, "share": ("Share", "share")},
        note="The most likely label of every image. Click a bar to filter.",
    )


def spread(found: pa.Table) -> Panel:
    """Return how the scores of each label are spread; `found` is `aggregates.score_spread`."""
    return Panel(
        title="Scores per label",
        chart=charts.score_box(found),
        table=found,
        columns={
            "label": ("Label", "label"),
            **_COUNT,
            **{name: (title, "share") for name, title in _SPREAD.items()},
        },
        note="From the minimum to the maximum score; the bar is the middle half, the mark is the median.",
    )


def top_two(pairs: pa.Table, wanted: Filters) -> Panel:
    """Return which two labels the model finds most likely; `pairs` is `aggregates.prediction_pairs`."""
    return Panel(
        title="First and second prediction",
        chart=_emphasize_pair(charts.pair_bars(pairs), pairs, wanted.top_two),
        table=pairs,
        columns={"first": ("First prediction", "label"), "second": ("Second prediction", "label"), **_COUNT},
        note="The two most likely labels of each image. Click a bar to filter.",
    )


def histogram(bins: pa.Table, column: str, span: Range | None) -> Panel:
    """Return how many images have which score, margin or entropy.

    `bins` is `aggregates.histogram` or `aggregates.histogram_by_label` of the column.
    """
    title, axis, note = _MEASURES[column]
    is_split = "label" in bins.column_names
    if is_split:
        bins = bins.set_column(bins.column_names.index("label"), "label", text.display_names(bins["label"]))
    is_share, height = column == "score", SPLIT_HEIGHT if is_split else charts.PLOT_HEIGHT
    chart = charts.histogram(bins, axis, in_percent=is_share).properties(height=height)
    named = {"label": ("Label", "label")} if is_split else {}
    return Panel(
        title=title,
        chart=emphasize(chart, span=span) if span else chart,
        table=bins,
        columns={**named, **(_SHARE_BIN if is_share else _BIN), **_COUNT},
        note=f"{note} Drag over the bars to filter.",
    )


def named_labels(counts: pa.Table) -> tuple[str, ...]:
    """Return the labels of `aggregates.label_counts`, without the rest."""
    return tuple(counts.filter(pc.invert(counts["is_rest"]))["label"].to_pylist())


def coverage(curve: pa.Table, threshold: float) -> Panel:
    """Return how many images a minimum score keeps and, where true labels are known, with what accuracy."""
    known = {"accuracy": ("Accuracy", "share")} if "accuracy" in curve.column_names else {}
    return Panel(
        title="Accuracy at a threshold" if known else "Images at a threshold",
        chart=charts.coverage(curve, threshold).properties(height=SPLIT_HEIGHT),
        table=curve,
        columns={
            "threshold": ("Minimum score", "share"),
            "images": ("Images kept", "count"),
            "share": ("Share kept", "share"),
            **known,
        },
        note="What remains when predictions below a score are dropped.",
    )


def reliability(evaluation: Evaluation) -> Panel:
    """Return whether scores mean what they say."""
    return Panel(
        title="Reliability",
        chart=charts.reliability(evaluation.reliability),
        table=evaluation.reliability,
        columns={**_SHARE_BIN, **_COUNT, "confidence": ("Mean score", "share"), "accuracy": ("Accuracy", "share")},
        note="On the dashed line, scores mean what they say: of all predictions with 80 %, four in five are correct.",
    )


def mistakes(evaluation: Evaluation, wanted: Filters) -> Panel:
    """Return which classes are mistaken for which others most often."""
    pairs = evaluation.pairs.slice(0, PAIRS_SHOWN)
    return Panel(
        title="Most frequent mistakes",
        chart=_emphasize_pair(charts.pair_bars(pairs), pairs, wanted.pair),
        table=evaluation.pairs,
        columns={"truth": ("True label", "label"), "label": ("Prediction", "label"), **_COUNT},
        note="True label → prediction. Click a bar to see its images.",
    )


def confusion(evaluation: Evaluation, wanted: Filters) -> Panel:
    """Return the classes that are confused most, true label against prediction."""
    block = evaluation.block
    return Panel(
        title="Confusion",
        chart=_emphasize_pair(charts.confusion(block), block, wanted.pair),
        table=block,
        columns={
            "truth": ("True label", "label"),
            "label": ("Prediction", "label"),
            **_COUNT,
            "share": ("Share of the true label", "share"),
        },
        note="Blue is correct, orange incorrect; a stronger color is a larger share. Click a cell to see its images.",
    )


def _emphasize_pair(chart: alt.Chart, pairs: pa.Table, chosen: tuple[str, str] | None) -> alt.Chart:
    if chosen is None:
        return chart
    return emphasize(chart, {name: (value,) for name, value in zip(pairs.column_names[:2], chosen, strict=True)})


def reasons(counts: pa.Table, wanted: Filters) -> Panel:
    """Return how many images are unreadable for which reason; `counts` is `aggregates.error_counts`."""
    share = counts["count"].to_numpy() / max(pc.sum(counts["count"]).as_py(), 1)
    bars = pa.table(
        {
            "label": counts["error_type"],
            "count": counts["count"],
            "share": share,
            "is_rest": [False] * counts.num_rows,
            "meaning": counts["meaning"],
        }
    )
    chart = charts.label_bars(bars).properties(description="Unreadable images by reason")
    return Panel(
        title="Reasons",
        chart=emphasize(chart, {"label": wanted.errors}) if wanted.errors else chart,
        table=bars,
        columns={"label": ("Reason", "label"), **_COUNT, "share": ("Share", "share"), "meaning": ("Meaning", "text")},
        note="Click a bar to filter.",
    )


def change_matrix(comparison: Comparison, chosen: tuple[str, str] | None) -> Panel:
    """Return the labels that change most, this run against the other."""
    block = change_block(comparison.pairs)
    named = block.rename_columns(["truth", "label", "count", "share"])
    drawn = charts.confusion(named)
    encoding = drawn.encoding
    drawn = drawn.encode(
        x=encoding.x.title("other run").scale(domain=_distinct(block["right"])),
        y=encoding.y.title("this run").scale(domain=_distinct(block["left"])),
    ).properties(description="Changed labels: this run against the other")
    return Panel(
        title="Changed labels",
        chart=_emphasize_pair(drawn, named, chosen),
        table=block,
        columns={
            "left": ("This run", "label"),
            "right": ("Other run", "label"),
            **_COUNT,
            "share": ("Share of the changes", "share"),
        },
        note="The labels of the most frequent changes. Click a cell to see its images.",
    )


def change_pairs(comparison: Comparison, chosen: tuple[str, str] | None) -> Panel:
    """Return which labels became which most often."""
    pairs = comparison.pairs.slice(0, PAIRS_SHOWN)
    return Panel(
        title="Most frequent changes",
        chart=_emphasize_pair(charts.pair_bars(pairs), pairs, chosen),
        table=comparison.pairs,
        columns={"left": ("This run", "label"), "right": ("Other run", "label"), **_COUNT},
        note="This run → other run. Click a bar to see its images.",
    )


def score_changes(comparison: Comparison, span: tuple[float, float] | None) -> Panel:
    """Return by how much the score of the prediction changed."""
    bins = _around_zero(comparison.score_changes)
    chart = charts.histogram(bins, "score in the other run minus score in this run", in_percent=True)
    return Panel(
        title="Change in score",
        chart=emphasize(chart, span=span) if span else chart,
        table=bins,
        columns={**_SHARE_BIN, **_COUNT},
        note="All images with a label in both runs. Drag over the bars to filter the changed ones.",
    )


def _around_zero(bins: pa.Table) -> pa.Table:
    """Return the bins that hold images, and as many on the other side of zero."""
    filled = bins.filter(pc.greater(bins["count"], 0))
    reach = max((abs(end) for name in ("low", "high") for end in filled[name].to_pylist()), default=1.0)
    inside = pc.and_(pc.greater_equal(bins["low"], -reach), pc.less_equal(bins["high"], reach))
    return bins.filter(inside)


def _distinct(column: pa.ChunkedArray) -> list[str]:
    return list(dict.fromkeys(column.to_pylist()))
