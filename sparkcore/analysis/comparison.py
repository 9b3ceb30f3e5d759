"""Comparison of two runs, image by image and setting by setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Encoded, Rows, count_pairs, encode, floats
from sparkcore.classes import normalize

CHANGE_BINS = 40


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold the differences between a left and a right run, joined by `image_id`.

    `only_left` and `only_right` are the row numbers of images that the other run lacks. `both` counts shared images,
    `judged` those with a label in both runs; `agreement` is the share of `judged` with the same label (None if
    `judged` is 0). `lost` and `gained` count images with a label in the left or the right run only.
    Tables: `pairs` (left, right, count; changed labels only), `changed` (image_id, file_name, left_label, right_label,
    left_score, right_score, score_change; largest absolute change first), `score_changes` (low, high, count; right
    minus left over all of `judged`).
    """

    only_left: Rows
    only_right: Rows
    both: int
    judged: int
    agreement: float | None
    lost: int
    gained: int
    pairs: pa.Table
    changed: pa.Table
    score_changes: pa.Table


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """Hold one setting that differs; None where a run does not have it."""

    name: str
    left: Any
    right: Any


def compare(left: pa.Table, right: pa.Table) -> Comparison:
    """Compare two results image by image.

    Labels are equal if their class ids are. If the two models share no class ids, label texts are compared, ignoring
    case and the difference between spaces, hyphens and underscores.
    """
    left_rows, right_rows = join(left["image_id"], right["image_id"])
    left_labels, right_labels = encode(left["label"]).at(left_rows), encode(right["label"]).at(right_rows)
    has_left, has_right = left_labels.codes >= 0, right_labels.codes >= 0
    judged = has_left & has_right
    same = _is_same(left, right, left_rows, right_rows)
    changed = judged & ~same
    change = floats(right, "score", right_rows) - floats(left, "score", left_rows)
    count = int(judged.sum())
    return Comparison(
        only_left=_others(left.num_rows, left_rows),
        only_right=_others(right.num_rows, right_rows),
        both=len(left_rows),
        judged=count,
        agreement=float((judged & same).sum() / count) if count else None,
        lost=int((has_left & ~has_right).sum()),
        gained=int((has_right & ~has_left).sum()),
        pairs=_pairs(left_labels, right_labels, changed),
        changed=_changed(left, right, left_rows[changed], right_rows[changed]),
        score_changes=_score_changes(change[judged]),
    )


def differing(left: pa.Table, right: pa.Table) -> Rows:
    """Return the row numbers of the left run whose images have another label in the right one."""
    left_rows, right_rows = join(left["image_id"], right["image_id"])
    both = encode(left["label"]).at(left_rows).codes >= 0
    both &= encode(right["label"]).at(right_rows).codes >= 0
    return left_rows[both & ~_is_same(left, right, left_rows, right_rows)]


def change_block(pairs: pa.Table, labels: int = 15) -> pa.Table:
    """Return the most frequent of `Comparison.pairs` as matrix cells: left, right, count, share.

    Each side has at most `labels` labels. The share is relative to all changed images with the same left label.
    """
    sides = {name: list(dict.fromkeys(pairs[name].to_pylist()))[:labels] for name in ("left", "right")}
    whole = pairs.group_by("left").aggregate([("count", "sum")])
    of_left = dict(zip(whole["left"].to_pylist(), whole["count_sum"].to_pylist(), strict=True))
    inside = [pc.is_in(pairs[name], value_set=pa.array(values, pa.string())) for name, values in sides.items()]
    cells = pairs.filter(pc.and_(*inside))
    share = [
        count / of_left[label] for label, count in zip(*(cells[n].to_pylist() for n in ("left", "count")), strict=True)
    ]
    return cells.append_column("share", pa.array(share, pa.float64()))


def config_changes(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[ConfigChange]:
    """Return the settings, model properties and versions that differ between two manifests, in their order."""
    changes = []
    for section in ("config", "model", "versions"):
        left_values, right_values = _flat(section, left.get(section)), _flat(section, right.get(section))
        for name in dict.fromkeys([*left_values, *right_values]):
            if left_values.get(name) != right_values.get(name):
                changes.append(ConfigChange(name, left_values.get(name), right_values.get(name)))
    return changes


def join(left: pa.ChunkedArray, right: pa.ChunkedArray) -> tuple[Rows, Rows]:
    """Return the row numbers of the images that both sides have, left and right, in the order of the left side."""
    found = pc.index_in(left, value_set=right.combine_chunks()).fill_null(-1).to_numpy().astype(np.int64)
    left_rows = np.flatnonzero(found >= 0)
    return left_rows, found[left_rows]


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {} if value is None else {name: value}
    return {key: part for inner, v in value.items() for key, part in _flat(f"{name}.{inner}", v).items()}


def _others(size: int, rows: Rows) -> Rows:
    return np.setdiff1d(np.arange(size), rows, assume_unique=True)


def _is_same(left: pa.Table, right: pa.Table, left_rows: Rows, right_rows: Rows) -> npt.NDArray[np.bool_]:
    names = ("class_id", "label")
    left_ids, left_labels = (encode(left[name]).at(left_rows) for name in names)
    right_ids, right_labels = (encode(right[name]).at(right_rows) for name in names)
    if set(left_ids.values) & set(right_ids.values):
        return _equal(left_ids, right_ids)
    return _equal(left_labels, right_labels)


def _equal(left: Encoded, right: Encoded) -> npt.NDArray[np.bool_]:
    numbers: dict[str, int] = {}
    left_keys = [numbers.setdefault(normalize(value), len(numbers)) for value in left.values]
    right_keys = [numbers.setdefault(normalize(value), len(numbers)) for value in right.values]
    return np.asarray(np.array([*left_keys, -1])[left.codes] == np.array([*right_keys, -2])[right.codes])


def _pairs(left: Encoded, right: Encoded, changed: npt.NDArray[np.bool_]) -> pa.Table:
    left_code, right_code, count = count_pairs(left.codes[changed], right.codes[changed])
    return pa.table(
        {
            "left": pa.array([left.values[code] for code in left_code], pa.string()),
            "right": pa.array([right.values[code] for code in right_code], pa.string()),
            "count": count,
        }
    )


def _changed(left: pa.Table, right: pa.Table, left_rows: Rows, right_rows: Rows) -> pa.Table:
    before, after = floats(left, "score", left_rows), floats(right, "score", right_rows)
    order = np.argsort(-np.abs(after - before), kind="stable")
    left_part = left.select(["image_id", "file_name", "label", "score"]).take(pa.array(left_rows[order]))
    right_part = right.select(["label", "score"]).take(pa.array(right_rows[order]))
    return pa.table(
        {
            "image_id": left_part["image_id"],
            "file_name": left_part["file_name"],
            "left_label": left_part["label"],
            "right_label": right_part["label"],
            "left_score": left_part["score"],
            "right_score": right_part["score"],
            "score_change": (after - before)[order],
        }
    )


def _score_changes(change: npt.NDArray[np.float32]) -> pa.Table:
    edges = np.linspace(-1.0, 1.0, CHANGE_BINS + 1)
    count = np.histogram(np.clip(change, -1, 1), edges)[0]
    return pa.table({"low": edges[:-1], "high": edges[1:], "count": count})
