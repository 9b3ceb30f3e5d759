"""Altair charts of the tables that `aggregates`, `metrics` and `comparison` return, for the dashboard and the report.

Every chart has a description for screen readers. `selection` names the selection that a page listens to; None makes
a static chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.chart_style import (
    BLUE,
    GRAY,
    LABEL_WIDTH,
    ORANGE,
    SKY,
    TITLES,
    VERMILION,
    category,
    count_axis,
    describe_chart,
    name_axis,
    selectable,
    with_display_names,
)

if TYPE_CHECKING:
    import altair as alt

ROW_HEIGHT = 22
PLOT_HEIGHT = 220
CELL_SIZE = 24
PAIR_WIDTH = 220


def label_bars(counts: pa.Table, selection: str | None = "label") -> alt.Chart:
    """Draw `aggregates.label_counts` as bars; a point selection yields the column of its name of a bar.

    The remaining labels are summed up in the axis title, because one bar for all of them would dwarf the others.
    """
    import altair as alt

    rest = counts.filter(counts["is_rest"])
    counts = with_display_names(counts.filter(pc.invert(counts["is_rest"])), "label")
    more = f" ({rest['count'][0].as_py():,} more in {rest['label'][0].as_py()})" if rest.num_rows else ""

    chart = (
        alt.Chart(counts, description=describe_chart("Images per label", counts, "label", "count"))
        .mark_bar(color=BLUE, cornerRadiusEnd=2)
        .encode(
            x=count_axis(alt.X("count:Q"), counts, "images" + more),
            y=alt.Y("label:N", sort=None, title=None, axis=name_axis(LABEL_WIDTH)),
            tooltip=[
                alt.Tooltip("label_name:N", title="label"),
                alt.Tooltip("count:Q", title="images", format=","),
                alt.Tooltip("share:Q", title="share", format=".1%"),
            ],
        )
        .properties(height=alt.Step(ROW_HEIGHT))
    )
    return selectable(chart, selection, [selection or "label"])


def pair_bars(pairs: pa.Table, selection: str | None = "pair") -> alt.Chart:
    """Draw a table of label pairs with their `count` as bars.

    The first two columns name the pair, each of them one of `chart_style.TITLES`; a point selection yields both.
    """
    import altair as alt

    first, second = pairs.column_names[:2]
    titles = [TITLES[name] for name in (first, second)]
    names = [f"{a} → {b}" for a, b in zip(pairs[first].to_pylist(), pairs[second].to_pylist(), strict=True)]
    named = with_display_names(pairs, first, second).append_column("pair", pa.array(names, pa.string()))
    chart = (
        alt.Chart(named, description=describe_chart(f"Images by {titles[0]} and {titles[1]}", named, "pair", "count"))
        .mark_bar(color=BLUE, cornerRadiusEnd=2)
        .encode(
            x=count_axis(alt.X("count:Q"), pairs),
            y=alt.Y("pair:N", sort=None, title=None, axis=name_axis(PAIR_WIDTH)),
            tooltip=[
                alt.Tooltip(f"{first}_name:N", title=titles[0]),
                alt.Tooltip(f"{second}_name:N", title=titles[1]),
                alt.Tooltip("count:Q", title="images", format=","),
            ],
        )
        .properties(height=alt.Step(ROW_HEIGHT))
    )
    return selectable(chart, selection, [first, second])


def histogram(bins: pa.Table, title: str, selection: str | None = "brush", *, in_percent: bool = False) -> alt.Chart:
    """Draw `aggregates.histogram`, stacked where it has a `label` column; a brush yields a range of `low`.

    `title` is the title of the x axis, whose numbers are shares with `in_percent`.
    """
    import altair as alt

    axis, number = (alt.Axis(format="%"), ".0%") if in_percent else (alt.Axis(), ".3~f")
    ends = [min(bins["low"].to_pylist(), default=0.0), max(bins["high"].to_pylist(), default=1.0)]
    chart = (
        alt.Chart(bins, description=describe_chart(f"Images by {title}", bins, "low", "count"))
        .mark_bar(color=BLUE, binSpacing=1)
        .encode(
            x=alt.X("low:Q", title=title, bin="binned", scale=alt.Scale(domain=ends), axis=axis),
            x2="high:Q",
            y=count_axis(alt.Y("count:Q"), bins),
            tooltip=[
                alt.Tooltip("low:Q", title="from", format=number),
                alt.Tooltip("high:Q", title="to", format=number),
                alt.Tooltip("count:Q", title="images", format=","),
            ],
        )
        .properties(height=PLOT_HEIGHT)
    )
    if "label" in bins.column_names:
        chart = chart.encode(color=category("label"))
    if selection is None:
        return chart
    return chart.add_params(alt.selection_interval(name=selection, encodings=["x"]))


def coverage(curve: pa.Table, threshold: float | None = None) -> alt.LayerChart:
    """Draw `aggregates.coverage` or `metrics.Evaluation.thresholds`: share and accuracy by minimum score.

    `threshold` adds a vertical rule at that score.
    """
    import altair as alt

    series = {"images kept": "share", "accuracy": "accuracy"}
    present = {name: column for name, column in series.items() if column in curve.column_names}
    long = pa.concat_tables(
        [
            pa.table(
                {
                    "threshold": curve["threshold"],
                    "value": curve[column].cast(pa.float64()),
                    "series": pa.array([name] * curve.num_rows, pa.string()),
                }
            )
            for name, column in present.items()
        ]
    )
    line = (
        alt.Chart(long, description=describe_chart("Share of images by minimum score", curve, "threshold", "share"))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("threshold:Q", title="minimum score", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            color=category("series", "stroke") if len(present) > 1 else alt.value(BLUE),
            strokeDash=alt.StrokeDash("series:N", legend=None, sort=None),
            tooltip=[
                alt.Tooltip("threshold:Q", title="minimum score", format=".0%"),
                alt.Tooltip("value:Q", title="share", format=".1%"),
                alt.Tooltip("series:N", title="line"),
            ],
        )
    )
    layers = [line] if threshold is None else [line, _rule(threshold)]
    return alt.LayerChart(layer=layers).properties(height=PLOT_HEIGHT)


def reliability(bins: pa.Table) -> alt.LayerChart:
    """Draw `metrics.Evaluation.reliability`: accuracy per score bin, and the diagonal of perfect calibration."""
    import altair as alt

    share = alt.Scale(domain=[0, 1])
    bars = (
        alt.Chart(bins, description=describe_chart("Accuracy by score", bins, "low", "accuracy"))
        .mark_bar(color=BLUE, binSpacing=1)
        .encode(
            x=alt.X("low:Q", title="score", bin="binned", scale=share, axis=alt.Axis(format="%", tickCount=5)),
            x2="high:Q",
            y=alt.Y("accuracy:Q", title="accuracy", scale=share, axis=alt.Axis(format="%")),
            tooltip=[
                alt.Tooltip("confidence:Q", title="mean score", format=".1%"),
                alt.Tooltip("accuracy:Q", title="accuracy", format=".1%"),
                alt.Tooltip("count:Q", title="images", format=","),
            ],
        )
    )
    ideal = alt.Chart(pa.table({"x": [0.0, 1.0]})).mark_line(color=ORANGE, strokeDash=[6, 4], strokeWidth=2.5)
    return alt.LayerChart(layer=[bars, ideal.encode(x="x:Q", y="x:Q")]).properties(height=PLOT_HEIGHT)


def confusion(block: pa.Table, selection: str | None = "cell") -> alt.Chart:
    """Draw `metrics.Evaluation.block` as a confusion matrix; a point selection yields `truth` and `label`.

    Correct predictions are blue, incorrect ones vermilion, more opaque for a larger share; empty cells are not drawn.
    """
    import altair as alt

    filled = with_display_names(block.filter(pc.greater(block["count"], 0)), "truth", "label")
    names = list(dict.fromkeys(block["truth"].to_pylist()))
    axis = name_axis(LABEL_WIDTH, grid=True, tickBand="extent", titlePadding=10)
    chart = (
        alt.Chart(filled, description=describe_chart("Images by true label and prediction", filled, "truth", "count"))
        .mark_rect(strokeWidth=0)
        .encode(
            x=alt.X("label:N", title="prediction", scale=alt.Scale(domain=names), axis=axis),
            y=alt.Y("truth:N", title="true label", scale=alt.Scale(domain=names), axis=axis),
            color=alt.condition("datum.truth === datum.label", alt.value(BLUE), alt.value(VERMILION)),
            fillOpacity=alt.FillOpacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.2, 1]), legend=None),
            tooltip=[
                alt.Tooltip("truth_name:N", title="true label"),
                alt.Tooltip("label_name:N", title="prediction"),
                alt.Tooltip("count:Q", title="images", format=","),
                alt.Tooltip("share:Q", title="share of this true label", format=".1%"),
            ],
        )
        .properties(height=alt.Step(CELL_SIZE), width=alt.Step(CELL_SIZE))
    )
    return selectable(chart, selection, ["truth", "label"])


def score_box(spread: pa.Table) -> alt.LayerChart:
    """Draw `aggregates.score_spread` as box plots: minimum to maximum, quartiles and median."""
    import altair as alt

    spread = with_display_names(spread, "label")
    quantiles = ("minimum", "lower", "median", "upper", "maximum")
    base = alt.Chart(spread, description=describe_chart("Scores by label", spread, "label", "median")).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=name_axis(LABEL_WIDTH)),
        tooltip=[
            alt.Tooltip("label_name:N", title="label"),
            alt.Tooltip("count:Q", title="images", format=","),
            *(alt.Tooltip(f"{name}:Q", title=TITLES.get(name, name), format=".1%") for name in quantiles),
        ],
    )
    x = alt.X("minimum:Q", title="score", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    whole = base.mark_rule(color=GRAY, strokeWidth=1.5).encode(x=x, x2="maximum:Q")
    middle = base.mark_bar(color=SKY, size=10).encode(x="lower:Q", x2="upper:Q")
    median = base.mark_tick(color=BLUE, thickness=3, size=14).encode(x="median:Q")
    return alt.LayerChart(layer=[whole, middle, median]).properties(height=alt.Step(ROW_HEIGHT))


def _rule(threshold: float) -> alt.Chart:
    import altair as alt

    return (
        alt.Chart(pa.table({"threshold": [threshold]}))
        .mark_rule(color=VERMILION, strokeWidth=2)
        .encode(x="threshold:Q")
    )
