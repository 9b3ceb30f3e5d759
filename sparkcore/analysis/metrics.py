"""Accuracy, calibration and per-class metrics of predictions whose true label is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.aggregates import THRESHOLDS
from sparkcore.analysis.columns import Rows, count_pairs, floats, top_depth
from sparkcore.analysis.truth import TOP_DEPTH, Codes, in_top, match
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import percent

CALIBRATION_BINS = 15

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Hold the metrics of a result.

    `support` counts the images with both a true label and a prediction; `top_1` and `top_k` are accuracies over them,
    `top_k` for the first `depth` predictions. `unmatched` counts the images whose true class the model cannot name, and
    `unmatched_classes` these classes; `matched_top_1` and `matched_top_k` are the accuracies over all other images
    (None if there are none). Where not all classes of the model are known (`classes_known` is false: runs of custom
    models with version 0.1), those that it predicted anywhere stand in for them. `calibration_error` is the expected
    calibration error.
    Tables: `classes` (name, precision, recall, f1, support, predicted), `pairs` (truth, label, count; mistakes only),
    `block` (truth, label, count, share of the true label's images; all cells of the classes confused most often),
    `reliability` (low, high, count, confidence, accuracy), `thresholds` (threshold, images, share, accuracy).
    """

    support: int
    top_1: float
    top_k: float
    depth: int
    unmatched: int
    unmatched_classes: int
    matched_top_1: float | None
    matched_top_k: float | None
    classes_known: bool
    calibration_error: float
    classes: pa.Table
    pairs: pa.Table
    block: pa.Table
    reliability: pa.Table
    thresholds: pa.Table

    def numbers(self) -> dict[str, int | float | bool | None]:
        """Return everything but the tables."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if not isinstance(value, pa.Table)}

    def sentences(self) -> Iterator[str]:
        """Yield the accuracy in words, and what the model cannot name."""
        calibration_error = f"calibration error {percent(self.calibration_error)}"
        yield f"{_accuracy(self.top_1, self.depth, self.top_k)}, {calibration_error}"
        if self.classes_known and self.unmatched:
            yield (
                f"The model does not know {self.unmatched_classes:,} of the true classes ({self.unmatched:,} "
                f"{'image' if self.unmatched == 1 else 'images'})."
            )
            if self.matched_top_1 is not None and self.matched_top_k is not None:
                rest = _accuracy(self.matched_top_1, self.depth, self.matched_top_k)
                yield f"On the other {self.support - self.unmatched:,} images: {rest}"


def evaluate(table: pa.Table, rows: Rows | None = None, block_classes: int = 20) -> Evaluation:
    """Evaluate the predictions of these rows (None: all); raises RequestError if no true label is known.

    Pass the whole table and `rows` rather than a part of the table, so that class names stay the same.
    """
    matched = match(table)
    judged = matched.judged if rows is None else _only(matched.judged, rows)
    if not judged.any():
        raise RequestError(
            "Expected images with a true label and a prediction, received none. "
            "Run again with truth set to folder or filename, review some of the images, or remove filters."
        )
    truth, predicted, correct = matched.truth[judged], matched.prediction[judged], matched.correct[judged]
    in_first = in_top(table).to_numpy(zero_copy_only=False)[judged].astype(bool)
    unknown = matched.unknown[judged]
    score = floats(table, "score")[judged]
    reliability = calibration(score, correct)
    return Evaluation(
        support=int(judged.sum()),
        top_1=float(correct.mean()),
        top_k=float(in_first.mean()),
        depth=min(TOP_DEPTH, top_depth(table)),
        unmatched=int(unknown.sum()),
        unmatched_classes=len(np.unique(truth[unknown])),
        matched_top_1=_mean(correct[~unknown]),
        matched_top_k=_mean(in_first[~unknown]),
        classes_known=matched.is_complete,
        calibration_error=expected_calibration_error(reliability),
        classes=_per_class(matched.names, truth, predicted, correct),
        pairs=_mistakes(matched.names, truth, predicted, correct),
        block=_block(matched.names, truth, predicted, block_classes),
        reliability=reliability,
        thresholds=accuracy_at_thresholds(score, correct),
    )


def calibration(score: npt.NDArray[np.float32], correct: Bools, bins: int = CALIBRATION_BINS) -> pa.Table:
    """Return confidence (mean score) and accuracy in score bins of equal width; null for an empty bin."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    # Bins are open below and closed above, as in the paper cited in `expected_calibration_error`.
    index = np.clip(np.ceil(score.astype(np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    empty = count == 0
    filled = np.where(empty, 1, count)
    return pa.table(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "confidence": pa.array(np.bincount(index, score, bins) / filled, mask=empty),
            "accuracy": pa.array(np.bincount(index, correct, bins) / filled, mask=empty),
        }
    )


def expected_calibration_error(reliability: pa.Table) -> float:
    """Return the mean absolute gap between accuracy and confidence, weighted by the images per bin.

    Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    count = reliability["count"].to_numpy()
    gap = reliability["accuracy"].to_numpy() - reliability["confidence"].to_numpy()
    return float(np.nansum(np.abs(gap) * count) / count.sum())


def accuracy_at_thresholds(score: npt.NDArray[np.float32], correct: Bools) -> pa.Table:
    """Return number, share and accuracy of the images at or above each minimum score; accuracy is null if none is."""
    order = np.argsort(score, kind="stable")
    first = np.searchsorted(score[order], THRESHOLDS.astype(np.float32), side="left")
    correct_from = np.append(np.cumsum(correct[order][::-1])[::-1], 0)
    images = len(score) - first
    accuracy = correct_from[first] / np.where(images == 0, 1, images)
    return pa.table(
        {
            "threshold": THRESHOLDS,
            "images": images,
            "share": images / len(score),
            "accuracy": pa.array(accuracy, mask=images == 0),
        }
    )


def _mean(values: Bools) -> float | None:
    return float(values.mean()) if len(values) else None


def _accuracy(top_1: float, depth: int, top_k: float) -> str:
    return f"top-1 {percent(top_1)}" + (f", top-{depth} {percent(top_k)}" if depth > 1 else "")


def _only(mask: Bools, rows: Rows) -> Bools:
    chosen = np.zeros(len(mask), dtype=bool)
    chosen[rows] = True
    return mask & chosen


def _per_class(names: tuple[str, ...], truth: Codes, predicted: Codes, correct: Bools) -> pa.Table:
    """Return precision, recall and F1 of every true or predicted class; null where undefined."""
    size = len(names)
    hits = np.bincount(truth[correct], minlength=size)
    support = np.bincount(truth, minlength=size)
    predictions = np.bincount(predicted, minlength=size)
    present = np.flatnonzero(support + predictions)
    order = present[np.lexsort((present, -support[present]))]
    hits, support, predictions = hits[order], support[order], predictions[order]
    return pa.table(
        {
            "name": [names[code] for code in order],
            "precision": _ratio(hits, predictions),
            "recall": _ratio(hits, support),
            "f1": _ratio(2 * hits, support + predictions),
            "support": support,
            "predicted": predictions,
        }
    )


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(part / np.where(whole == 0, 1, whole), mask=whole == 0)


def _mistakes(names: tuple[str, ...], truth: Codes, predicted: Codes, correct: Bools) -> pa.Table:
    true_code, label_code, count = count_pairs(truth[~correct], predicted[~correct])
    columns = {"truth": [names[code] for code in true_code], "label": [names[code] for code in label_code]}
    return pa.table(
        {**{name: pa.array(texts, pa.string()) for name, texts in columns.items()}, "count": count},
    )


def _block(names: tuple[str, ...], truth: Codes, predicted: Codes, classes: int) -> pa.Table:
    """Return the confusion matrix of the classes with the most frequent mistakes, then those with most images."""
    support = np.bincount(truth, minlength=len(names))
    wrong = truth != predicted
    confused = np.column_stack(count_pairs(truth[wrong], predicted[wrong])[:2])[:classes].ravel().tolist()
    largest = np.lexsort((np.arange(len(names)), -support))[: np.count_nonzero(support)].tolist()
    chosen = np.array(list(dict.fromkeys([*confused, *largest]))[:classes])
    place = np.full(len(names), -1)
    place[chosen] = np.arange(len(chosen))
    inside = (place[truth] >= 0) & (place[predicted] >= 0)
    cell = place[truth[inside]] * len(chosen) + place[predicted[inside]]
    count = np.bincount(cell, minlength=len(chosen) ** 2)
    shown = [names[code] for code in chosen]
    whole = np.repeat(support[chosen], len(chosen))
    return pa.table(
        {
            "truth": pa.array(np.repeat(np.array(shown, dtype=object), len(shown)), pa.string()),
            "label": pa.array(shown * len(shown), pa.string()),
            "count": count,
            "share": count / np.where(whole == 0, 1, whole),
        }
    )
