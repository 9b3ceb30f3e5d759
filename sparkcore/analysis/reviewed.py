"""A result with the reviews of its pictures: as columns, and as true labels where there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.reviews.pictures import HASH, KEY_COLUMNS, picture_keys
from sparkcore.reviews.review import NONE, UNSURE, State
from sparkcore.runs.class_names import classes_of

REVIEWED = "reviewed"
NOT_IN_ANY_CLASS = "not in any class"
CANNOT_TELL = "cannot tell"
# The columns that reviews add to a result.
REVIEW_COLUMNS = ("truth_source", "review", "star", "tags", "note", "reviewed_by", "reviewed_at")

_WORDS = {NONE: NOT_IN_ANY_CLASS, UNSURE: CANNOT_TELL}


def reviewed_rows(table: pa.Table, states: Mapping[str, State]) -> dict[int, State]:
    """Return what is said of the pictures of a result by row number, in the order of the rows."""
    if not states:
        return {}
    ids = pa.array({key.partition("@")[0] for key in states if "@" in key}, pa.string())
    found = _is_in(table["image_id"], ids)
    if HASH in table.column_names:
        digests = [key.removeprefix("sha256:") for key in states if key.startswith("sha256:")]
        found |= _is_in(table[HASH], pa.array(digests, pa.string()))
    rows = np.flatnonzero(found)
    part = table.select([name for name in KEY_COLUMNS if name in table.column_names]).take(pa.array(rows))
    keys = [next((key for key in picture_keys(row) if key in states), "") for row in part.to_pylist()]
    return {int(row): states[key] for row, key in zip(rows, keys, strict=True) if key}


def with_reviews(
    table: pa.Table, states: Mapping[str, State], *, given: str = "folder", reviews_first: bool = False
) -> pa.Table:
    """Return the result with what is said of its pictures (`with_said`)."""
    return with_said(table, reviewed_rows(table, states), given=given, reviews_first=reviews_first)


def with_said(
    table: pa.Table, said: Mapping[int, State], *, given: str = "folder", reviews_first: bool = False
) -> pa.Table:
    """Return the result with REVIEW_COLUMNS, unchanged where nothing is said; `said` is by row number.

    A reviewed label becomes the true label of a picture that has none; with `reviews_first`, of every reviewed
    picture. `truth_source` says where a true label is from: `given` or REVIEWED. Pictures of which somebody cannot
    tell what they show get no true label; what is in no class gets one that no model can name.
    """
    if not said:
        return table
    place = np.zeros(table.num_rows, dtype=np.int64)
    is_said = np.zeros(table.num_rows, dtype=bool)
    place[list(said)], is_said[list(said)] = np.arange(len(said)), True
    places = pa.array(place, mask=~is_said)

    def column(value: Callable[[State], Any], kind: pa.DataType) -> pa.Array:
        return pa.array([value(state) for state in said.values()], kind).take(places)

    known = _known_ids(table)
    truth = column(lambda state: _truth(state, known), pa.string())
    old = table["truth"]
    merged = pc.coalesce(truth, old) if reviews_first else pc.coalesce(old, truth)
    is_reviewed = pc.is_valid(truth) if reviews_first else pc.and_(pc.is_valid(truth), pc.is_null(old))
    source = pc.if_else(is_reviewed, REVIEWED, pc.if_else(pc.is_valid(old), given, pa.scalar(None, pa.string())))
    columns = {
        "truth_source": source,
        "review": column(describe_answer, pa.string()),
        "star": column(lambda state: state.star, pa.bool_()),
        "tags": column(lambda state: ", ".join(state.tags) or None, pa.string()),
        "note": column(lambda state: state.note or None, pa.string()),
        "reviewed_by": column(lambda state: state.by, pa.string()),
        "reviewed_at": column(lambda state: state.at, pa.string()),
    }
    table = table.set_column(table.column_names.index("truth"), table.schema.field("truth"), merged)
    for name, values in columns.items():
        table = table.append_column(name, values)
    return table


def is_judged(states: Mapping[int, State], row: int) -> bool:
    """Tell whether somebody has said what is on the picture of a row, or that nobody can tell."""
    state = states.get(row)
    return state is not None and state.answer is not None


def has_label(state: State) -> bool:
    """Tell whether somebody has said what is on a picture, or that it is in no class."""
    return state.answer is not None and state.answer.kind != UNSURE


def describe_answer(state: State) -> str | None:
    """Return what is said to be on a picture, in words; None where nothing is said."""
    return None if state.answer is None else _WORDS.get(state.answer.kind) or state.answer.label


def truth_sources(table: pa.Table, given: str = "folder") -> dict[str, int]:
    """Return the number of pictures with a true label by where it is from: `given` where there are no reviews."""
    if "truth_source" not in table.column_names:
        count = len(table["truth"]) - table["truth"].null_count
        return {given: count} if count else {}
    counts = pc.value_counts(table["truth_source"].drop_null()).to_pylist()
    return {one["values"]: one["counts"] for one in counts}


def _truth(state: State, known: frozenset[str]) -> str | None:
    answer = state.answer
    if answer is None or answer.kind == UNSURE:
        return None
    if answer.kind == NONE:
        return NOT_IN_ANY_CLASS
    return answer.class_id if answer.class_id in known else answer.label


def _known_ids(table: pa.Table) -> frozenset[str]:
    ids = [one.class_id for one in classes_of(table)] or pc.unique(table["class_id"].drop_null()).to_pylist()
    return frozenset(ids) - {""}


def _is_in(column: pa.ChunkedArray, values: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = pc.is_in(column, value_set=values).to_numpy()
    return found.copy()
