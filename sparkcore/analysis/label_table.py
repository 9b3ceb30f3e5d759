"""All predicted labels of a result with their groups and numbers, and the accuracy of each group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Rows, encode, floats
from sparkcore.analysis.groups import label_paths
from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.analysis.truth import has_truth, is_correct, match
from sparkcore.groups import path_text
from sparkcore.runs.class_names import groups_of

GROUP_LEVELS = 2  # of the groups that are judged: Animals > Dogs


def label_table(table: pa.Table, rows: Rows | None = None) -> pa.Table:
    """Return one row for each predicted label, most frequent first.

    Columns: label, group (its path, null for none), count, share (of the labeled images), score (mean), correct (share
    of the judged images; null without any).
    """
    labels, paths = encode(table["label"]).at(rows), label_paths(table)
    inside = labels.codes >= 0
    codes, size = labels.codes[inside], len(labels.values)
    count = np.bincount(codes, minlength=size)
    order = np.lexsort((np.arange(size), -count))[: int((count > 0).sum())]
    score = np.bincount(codes, floats(table, "score", rows)[inside], minlength=size)
    hits, judged = _judged(table, rows, codes, inside, size)
    names = [labels.values[code] for code in order]
    return pa.table(
        {
            "label": pa.array(names, pa.string()),
            "group": pa.array([path_text(paths[name]) or None for name in names], pa.string()),
            "count": count[order],
            "share": count[order] / max(len(codes), 1),
            "score": score[order] / count[order],
            "correct": _ratio(hits[order], judged[order]),
        }
    )


def group_accuracy(table: pa.Table, rows: Rows | None = None, levels: int = GROUP_LEVELS) -> pa.Table:
    """Return the accuracy on the images whose true class is in a group, groups of most images first.

    Columns: group (a path of at most `levels` names), images, accuracy, low, high (its 95 % interval). True classes
    without a group are left out.
    """
    matched, known = match(table), groups_of(table)
    judged = np.flatnonzero(matched.judged) if rows is None else rows[matched.judged[rows]]
    texts = [path_text(known.get(class_id, ())[:levels]) for class_id in matched.class_ids]
    groups = {text: code for code, text in enumerate(dict.fromkeys(filter(None, texts)))}
    codes = np.array([groups.get(text, -1) for text in texts])[matched.truth[judged]]
    images = np.bincount(codes[codes >= 0], minlength=len(groups))
    hits = np.bincount(codes[(codes >= 0) & matched.correct[judged]], minlength=len(groups))
    order = [code for code in np.argsort(-images, kind="stable") if images[code]]
    names = list(groups)
    intervals = [clopper_pearson(int(hits[code]), int(images[code])) for code in order]
    return pa.table(
        {
            "group": pa.array([names[code] for code in order], pa.string()),
            "images": pa.array(images[order], pa.int64()),
            "accuracy": pa.array(hits[order] / np.maximum(images[order], 1), pa.float64()),
            "low": pa.array([low for low, _ in intervals], pa.float64()),
            "high": pa.array([high for _, high in intervals], pa.float64()),
        }
    )


def _judged(
    table: pa.Table, rows: Rows | None, codes: npt.NDArray[np.int32], inside: npt.NDArray[np.bool_], size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how many of the images of each label are correct, and of how many that is known."""
    if not has_truth(table):
        return np.zeros(size, np.int64), np.zeros(size, np.int64)
    correct = is_correct(table)
    chosen = (correct if rows is None else correct.take(pa.array(rows))).filter(pa.array(inside))
    known = pc.is_valid(chosen).to_numpy(zero_copy_only=False)
    hits = pc.fill_null(chosen, False).to_numpy(zero_copy_only=False)
    return np.bincount(codes[hits], minlength=size), np.bincount(codes[known], minlength=size)


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(part / np.maximum(whole, 1), mask=whole == 0)
