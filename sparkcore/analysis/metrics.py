"""How good the guesses are where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.columns import Rows, count_pairs, floats, top_depth
from sparkcore.analysis.summaries import THRESHOLDS
from sparkcore.analysis.truth import TOP_DEPTH, Match, in_top, match
from sparkcore.errors import RequestError

CALIBRATION_BINS = 15

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Hold what the known truths say about a result.

    `support` counts the images with both a truth and a guess; `top_1` and `top_k` are shares of them, `top_k` for
    the first `depth` guesses of the kept lists. `unmatched` counts images whose truth names no class that was seen
    in any guess. Tables: `classes` (name, precision, recall, f1, support, guessed), `pairs` (truth, label, count;
    mistakes only), `block` (truth, label, count, share of the truth's images; every cell of the classes confused most),
    `reliability` (low, high, count, confidence, accuracy), `thresholds` (threshold, images, share, accuracy).
    `calibration_error` is the expected calibration error.
    """

    support: int
    top_1: float
    top_k: float
    depth: int
    unmatched: int
    calibration_error: float
    classes: pa.Table
    pairs: pa.Table
    block: pa.Table
    reliability: pa.Table
    thresholds: pa.Table


def evaluate(table: pa.Table, rows: Rows | None = None, block_classes: int = 20) -> Evaluation:
    """Judge the guesses of these rows (all: None); raises RequestError where no truth is known.

    Pass the whole table and `rows` rather than a part of the table, so that classes keep their names.
    """
    matched = match(table)
    judged = matched.judged if rows is None else _only(matched.judged, rows)
    if not judged.any():
        raise RequestError(
            "Expected images with a known truth and a guess, received none. "
            "Run again with truth set to folder or filename, or loosen the filters."
        )
    truth, guess, correct = matched.truth[judged], matched.guess[judged], matched.correct[judged]
    score = floats(table, "score")[judged]
    reliability = calibration(score, correct)
    classes = _per_class(matched, truth, guess, correct)
    return Evaluation(
        support=int(judged.sum()),
        top_1=float(correct.mean()),
        top_k=float(in_top(table).to_numpy(zero_copy_only=False)[judged].astype(bool).mean()),
        depth=min(TOP_DEPTH, top_depth(table)),
        unmatched=int(matched.unseen[judged].sum()),
        calibration_error=expected_calibration_error(reliability),
        classes=classes,
        pairs=_mistakes(matched.names, truth, guess, correct),
        block=_block(matched.names, truth, guess, block_classes),
        reliability=reliability,
        thresholds=accuracy_at_thresholds(score, correct),
    )


def calibration(score: npt.NDArray[np.float32], correct: Bools, bins: int = CALIBRATION_BINS) -> pa.Table:
    """Return confidence (mean score) and accuracy in bins of equal width; null for a bin without images."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    # Bins are open below and closed above, as in the paper that `expected_calibration_error` names.
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
    """Return the mean distance of accuracy and confidence, weighted by the images of each bin.

    Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    count = reliability["count"].to_numpy()
    gap = reliability["accuracy"].to_numpy() - reliability["confidence"].to_numpy()
    return float(np.nansum(np.abs(gap) * count) / count.sum())


def accuracy_at_thresholds(score: npt.NDArray[np.float32], correct: Bools) -> pa.Table:
    """Return how many images have at least each score, and how many of those are right (null where none is left)."""
    order = np.argsort(score, kind="stable")
    first = np.searchsorted(score[order], THRESHOLDS.astype(np.float32), side="left")
    right_from = np.append(np.cumsum(correct[order][::-1])[::-1], 0)
    images = len(score) - first
    accuracy = right_from[first] / np.where(images == 0, 1, images)
    return pa.table(
        {
            "threshold": THRESHOLDS,
            "images": images,
            "share": images / len(score),
            "accuracy": pa.array(accuracy, mask=images == 0),
        }
    )


def _only(mask: Bools, rows: Rows) -> Bools:
    chosen = np.zeros(len(mask), dtype=bool)
    chosen[rows] = True
    return mask & chosen


def _per_class(matched: Match, truth: npt.NDArray[np.int32], guess: npt.NDArray[np.int32], correct: Bools) -> pa.Table:
    """Return precision, recall and F1 of every class that is a truth or a guess, null where they divide by 0."""
    size = len(matched.names)
    hits = np.bincount(truth[correct], minlength=size)
    support = np.bincount(truth, minlength=size)
    guessed = np.bincount(guess, minlength=size)
    present = np.flatnonzero(support + guessed)
    order = present[np.lexsort((present, -support[present]))]
    hits, support, guessed = hits[order], support[order], guessed[order]
    return pa.table(
        {
            "name": [matched.names[code] for code in order],
            "precision": _ratio(hits, guessed),
            "recall": _ratio(hits, support),
            "f1": _ratio(2 * hits, support + guessed),
            "support": support,
            "guessed": guessed,
        }
    )


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(part / np.where(whole == 0, 1, whole), mask=whole == 0)


def _mistakes(
    names: tuple[str, ...], truth: npt.NDArray[np.int32], guess: npt.NDArray[np.int32], correct: Bools
) -> pa.Table:
    true_code, guess_code, count = count_pairs(truth[~correct], guess[~correct])
    columns = {"truth": [names[code] for code in true_code], "label": [names[code] for code in guess_code]}
    return pa.table(
        {**{name: pa.array(texts, pa.string()) for name, texts in columns.items()}, "count": count},
    )


def _block(
    names: tuple[str, ...], truth: npt.NDArray[np.int32], guess: npt.NDArray[np.int32], classes: int
) -> pa.Table:
    """Return truth against guess of some classes: those of the most frequent mistakes, then those with most images."""
    support = np.bincount(truth, minlength=len(names))
    wrong = truth != guess
    confused = np.column_stack(count_pairs(truth[wrong], guess[wrong])[:2])[:classes].ravel().tolist()
    largest = np.lexsort((np.arange(len(names)), -support))[: np.count_nonzero(support)].tolist()
    chosen = np.array(list(dict.fromkeys([*confused, *largest]))[:classes])
    place = np.full(len(names), -1)
    place[chosen] = np.arange(len(chosen))
    inside = (place[truth] >= 0) & (place[guess] >= 0)
    cell = place[truth[inside]] * len(chosen) + place[guess[inside]]
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
