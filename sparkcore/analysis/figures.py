"""The charts of the report: each with the same numbers as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis import charts, summaries
from sparkcore.analysis.columns import Rows, is_ok
from sparkcore.analysis.metrics import Evaluation

if TYPE_CHECKING:
    import altair as alt

LABELS_SHOWN = 15
PAIRS_SHOWN = 15
HISTOGRAM_BINS = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold one chart, what it says in a sentence, and its table: column titles and texts of the cells."""

    title: str
    note: str
    chart: alt.Chart | alt.LayerChart
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def result_figures(table: pa.Table, rows: Rows) -> Iterator[Figure]:
    """Yield the charts of what was guessed; none where no image has a label."""
    if not is_ok(table, rows).any():
        return
    labels = summaries.label_counts(table, rows, LABELS_SHOWN)
    yield Figure(
        "Labels",
        "How many images got each label as their first guess.",
        charts.label_bars(labels, selection=None),
        *_cells(labels, label="text", count="count", share="share"),
    )
    scores = summaries.histogram(table, "score", rows, HISTOGRAM_BINS)
    yield Figure(
        "Scores",
        "How sure the model is of its first guess: 1 is certain.",
        charts.histogram(scores, "score", selection=None),
        *_cells(scores, low="number", high="number", count="count"),
    )
    curve = summaries.coverage(table, rows)
    yield Figure(
        "Coverage",
        "How many images stay when guesses below a score are dropped.",
        charts.coverage(curve),
        *_cells(_every_fifth(curve), threshold="share", images="count", share="share"),
    )
    pairs = summaries.guess_pairs(table, rows, PAIRS_SHOWN)
    if pairs.num_rows:
        yield Figure(
            "First and second guess",
            "Labels that the model weighs against each other.",
            charts.pair_bars(pairs, selection=None),
            *_cells(pairs, first="text", second="text", count="count"),
        )


def truth_figures(evaluation: Evaluation) -> Iterator[Figure]:
    """Yield the charts of how good the guesses are."""
    curve = evaluation.thresholds
    yield Figure(
        "Accuracy at a threshold",
        "What is gained in accuracy, and lost in images, when guesses below a score are dropped.",
        charts.coverage(curve),
        *_cells(
            _every_fifth(curve),
            threshold="share",
            images="count",
            share="share",
            accuracy="share",
        ),
    )
    bins = evaluation.reliability
    yield Figure(
        "Reliability",
        "Accuracy of the images of each range of scores; on the dashed line scores mean what they say. "
        f"Expected calibration error {100 * evaluation.calibration_error:.1f} %.",
        charts.reliability(bins),
        *_cells(bins, low="number", high="number", count="count", confidence="share", accuracy="share"),
    )
    if evaluation.pairs.num_rows:
        pairs = evaluation.pairs.slice(0, PAIRS_SHOWN)
        yield Figure(
            "Most frequent mistakes",
            "True class → guess.",
            charts.pair_bars(pairs, selection=None),
            *_cells(pairs, truth="text", label="text", count="count"),
        )
    block = evaluation.block
    yield Figure(
        "Confusion",
        "The classes that are confused most: blue is right, orange is wrong; the stronger, the larger a share "
        "of the true class.",
        charts.confusion(block, selection=None),
        *_cells(block.filter(pc.greater(block["count"], 0)), truth="text", label="text", count="count"),
    )


def class_rows(evaluation: Evaluation, most: int) -> tuple[tuple[str, ...], ...]:
    """Return precision, recall, F1 and support of the `most` largest classes as texts."""
    return _cells(
        evaluation.classes.slice(0, most), name="text", precision="share", recall="share", f1="share", support="count"
    )[1]


def _cells(table: pa.Table, **kinds: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    columns = [[_text(value, kind) for value in table[name].to_pylist()] for name, kind in kinds.items()]
    return tuple(kinds), tuple(zip(*columns, strict=True))


def _text(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    return {"text": "{}", "count": "{:,}", "share": "{:.1%}", "number": "{:.3g}"}[kind].format(value)


def _every_fifth(curve: pa.Table) -> pa.Table:
    """Return the rows at 0 %, 5 %, 10 % and so on: enough for a table."""
    return curve.take(pa.array(range(0, curve.num_rows, 5)))
