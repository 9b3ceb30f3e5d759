"""The charts of the report, each with the same numbers as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis import aggregates, charts
from sparkcore.analysis.chart_style import TITLES
from sparkcore.analysis.columns import Rows, is_ok
from sparkcore.analysis.metrics import Evaluation
from sparkcore.imaging.lettering import display_name

if TYPE_CHECKING:
    import altair as alt

LABELS_SHOWN = 15
PAIRS_SHOWN = 15
HISTOGRAM_BINS = 20


@dataclass(frozen=True, slots=True)
class ReportChart:
    """Hold a chart, a sentence that explains it, and its table: column titles and cell texts."""

    title: str
    note: str
    chart: alt.Chart | alt.LayerChart
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def prediction_charts(table: pa.Table, rows: Rows) -> Iterator[ReportChart]:
    """Yield the charts of the predictions; none if no image has a label."""
    if not is_ok(table, rows).any():
        return
    labels = aggregates.label_counts(table, rows, LABELS_SHOWN)
    yield ReportChart(
        "Labels",
        "Number of images by predicted label.",
        charts.label_bars(labels, selection=None),
        *_cells(labels, label="name", count="count", share="share"),
    )
    scores = aggregates.histogram(table, "score", rows, HISTOGRAM_BINS)
    yield ReportChart(
        "Scores",
        "The model's confidence in its prediction: 1 is certain.",
        charts.histogram(scores, "score", selection=None),
        *_cells(scores, low="number", high="number", count="count"),
    )
    curve = aggregates.coverage(table, rows)
    yield ReportChart(
        "Coverage",
        "Share of images that remain when predictions below a minimum score are dropped.",
        charts.coverage(curve),
        *_cells(_every_fifth(curve), threshold="share", images="count", share="share"),
    )
    pairs = aggregates.prediction_pairs(table, rows, PAIRS_SHOWN)
    if pairs.num_rows:
        yield ReportChart(
            "First and second prediction",
            "Labels that the model finds hard to tell apart.",
            charts.pair_bars(pairs, selection=None),
            *_cells(pairs, first="name", second="name", count="count"),
        )


def evaluation_charts(evaluation: Evaluation) -> Iterator[ReportChart]:
    """Yield the charts that compare predictions with true labels."""
    curve = evaluation.thresholds
    yield ReportChart(
        "Accuracy by minimum score",
        "Accuracy gained, and images lost, when predictions below a minimum score are dropped.",
        charts.coverage(curve),
        *_cells(_every_fifth(curve), threshold="share", images="count", share="share", accuracy="share"),
    )
    bins = evaluation.reliability
    yield ReportChart(
        "Reliability",
        "Accuracy by score; on the dashed line, accuracy equals the score. "
        f"Expected calibration error: {evaluation.calibration_error:.1%}.",
        charts.reliability(bins),
        *_cells(bins, low="number", high="number", count="count", confidence="share", accuracy="share"),
    )
    if evaluation.pairs.num_rows:
        pairs = evaluation.pairs.slice(0, PAIRS_SHOWN)
        yield ReportChart(
            "Most frequent mistakes",
            "True label → prediction.",
            charts.pair_bars(pairs, selection=None),
            *_cells(pairs, truth="name", label="name", count="count"),
        )
    block = evaluation.block
    yield ReportChart(
        "Confusion matrix",
        "The classes confused most often: correct predictions in blue, incorrect ones in orange, "
        "more opaque for a larger share of the true label.",
        charts.confusion(block, selection=None),
        *_cells(block.filter(pc.greater(block["count"], 0)), truth="name", label="name", count="count"),
    )


def class_rows(evaluation: Evaluation, limit: int) -> tuple[tuple[str, ...], ...]:
    """Return name, precision, recall, F1 and support of the `limit` largest classes as texts."""
    return _cells(
        evaluation.classes.slice(0, limit), name="name", precision="share", recall="share", f1="share", support="count"
    )[1]


def _cells(table: pa.Table, **kinds: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    columns = [[_text(value, kind) for value in table[name].to_pylist()] for name, kind in kinds.items()]
    return tuple(TITLES.get(name, name) for name in kinds), tuple(zip(*columns, strict=True))


def _text(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    if kind == "name":
        return display_name(value)
    return {"count": "{:,}", "share": "{:.1%}", "number": "{:.3g}"}[kind].format(value)


def _every_fifth(curve: pa.Table) -> pa.Table:
    """Return the rows at 0%, 5%, 10% and so on, enough for a table."""
    return curve.take(pa.array(range(0, curve.num_rows, 5)))
