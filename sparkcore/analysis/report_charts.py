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
from sparkcore.imaging.lettering import display_name, percent

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
    """Yield the charts of the predictions that say something about these images.

    Left out are a single bar, bars of one image each, and scores that all fall into one bin.
    """
    if not is_ok(table, rows).any():
        return
    labels = aggregates.label_counts(table, rows, LABELS_SHOWN)
    if _tells_much(labels.filter(pc.invert(labels["is_rest"]))):
        yield ReportChart(
            "Labels",
            "Number of images by predicted label.",
            charts.label_bars(labels, selection=None),
            *_cells(labels, label="name", count="count", share="share"),
        )
    scores = aggregates.histogram(table, "score", rows, HISTOGRAM_BINS)
    if len(_filled(scores)) > 1:
        yield from _score_charts(table, rows, scores)
    pairs = aggregates.prediction_pairs(table, rows, PAIRS_SHOWN)
    if _tells_much(pairs):
        yield ReportChart(
            "First and second prediction",
            "Labels that the model finds hard to tell apart.",
            charts.pair_bars(pairs, selection=None),
            *_cells(pairs, first="name", second="name", count="count"),
        )


def evaluation_charts(evaluation: Evaluation) -> Iterator[ReportChart]:
    """Yield the charts that compare predictions with true labels and say something about these images.

    If all predictions are correct or all are incorrect, as some filters want it, accuracy by score says nothing.
    """
    if 0 < evaluation.top_1 < 1:
        yield from _accuracy_charts(evaluation)
    pairs = evaluation.pairs.slice(0, PAIRS_SHOWN)
    if _tells_much(pairs):
        yield ReportChart(
            "Most frequent mistakes",
            "True label → prediction.",
            charts.pair_bars(pairs, selection=None),
            *_cells(pairs, truth="name", label="name", count="count"),
        )
    cells = _filled(evaluation.block)
    if _tells_much(cells) and all(pc.count_distinct(cells[side]).as_py() > 1 for side in ("truth", "label")):
        yield ReportChart(
            "Confusion matrix",
            "The classes confused most often: correct predictions in blue, incorrect ones in orange, "
            "more opaque for a larger share of the true label.",
            charts.confusion(evaluation.block, selection=None),
            *_cells(cells, truth="name", label="name", count="count"),
        )


def _filled(counts: pa.Table) -> pa.Table:
    return counts.filter(pc.greater(counts["count"], 0))


def _tells_much(counts: pa.Table) -> bool:
    """Tell whether there are several bars, and one with more than one image."""
    return counts.num_rows > 1 and pc.max(counts["count"]).as_py() > 1


def _score_charts(table: pa.Table, rows: Rows, scores: pa.Table) -> Iterator[ReportChart]:
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


def _accuracy_charts(evaluation: Evaluation) -> Iterator[ReportChart]:
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
        f"Expected calibration error: {percent(evaluation.calibration_error)}.",
        charts.reliability(bins),
        *_cells(bins, low="number", high="number", count="count", confidence="share", accuracy="share"),
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
    return percent(value) if kind == "share" else {"count": "{:,}", "number": "{:.3g}"}[kind].format(value)


def _every_fifth(curve: pa.Table) -> pa.Table:
    """Return the rows at 0%, 5%, 10% and so on, enough for a table."""
    return curve.take(pa.array(range(0, curve.num_rows, 5)))
