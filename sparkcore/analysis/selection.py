"""Selection of rows by filters, and their order."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Rows, top_blocks
from sparkcore.analysis.filters import CORRECT, RANGE_FIELDS, REVIEWED, STARRED, Area, Filters, Range
from sparkcore.analysis.groups import found_by, in_groups
from sparkcore.analysis.truth import is_correct, match
from sparkcore.errors import ConfigError
from sparkcore.runs.layouts import X, Y

SORT_KEYS = ("score", "margin", "entropy", "name", "size", "random")
_SORT_COLUMNS = {"score": "score", "margin": "margin", "entropy": "entropy", "size": "size_bytes"}

Mask = npt.NDArray[np.bool_]


def select(table: pa.Table, filters: Filters) -> Rows:
    """Return the row numbers that pass every filter, in the table's order."""
    mask = np.ones(table.num_rows, dtype=bool)
    for condition in _conditions(table, filters):
        mask &= condition
    return np.flatnonzero(mask)


def apply(table: pa.Table, filters: Filters) -> pa.Table:
    """Return the rows that pass every filter."""
    return table if filters == Filters() else table.take(pa.array(select(table, filters)))


def sort(table: pa.Table, rows: Rows, key: str, descending: bool = False, seed: int = 0) -> Rows:
    """Return `rows` sorted by one of SORT_KEYS; the sort is stable and puts rows without a value last.

    "size" is the file size. "random" is a shuffle by `seed` that keeps the relative order of any two images under
    every filter. Raises ConfigError for any other key.
    """
    if key == "random":
        return rows[np.argsort(np.random.default_rng(seed).random(table.num_rows)[rows], kind="stable")]
    if key == "name":
        order = "descending" if descending else "ascending"
        names = pc.utf8_lower(table["file_name"].take(pa.array(rows)))
        return rows[pc.sort_indices(names, sort_keys=[("", order)]).to_numpy()]
    if key not in _SORT_COLUMNS:
        raise ConfigError.unexpected("sort", "one of " + ", ".join(SORT_KEYS), key)
    values = table[_SORT_COLUMNS[key]].cast(pa.float64()).to_numpy()[rows]
    return rows[np.argsort(-values if descending else values, kind="stable")]


def _conditions(table: pa.Table, filters: Filters) -> Iterator[Mask]:
    for column in RANGE_FIELDS:
        wanted = getattr(filters, column)
        if wanted is not None:
            yield from _in_range(table[column], wanted)
    for column, values in (("label", filters.labels), ("error_type", filters.errors), ("image_id", filters.image_ids)):
        if values:
            yield _mask(pc.is_in(table[column], value_set=pa.array(values, pa.string())))
    yield from _of_labels(table, filters)
    if filters.status is not None:
        yield _mask(pc.equal(table["status"], filters.status))
    if filters.name:
        yield _has_name(table["file_name"], filters.name)
    if filters.correct is not None:
        correct = is_correct(table)
        yield _mask(correct if filters.correct == CORRECT else pc.invert(correct))
    if filters.pair is not None:
        yield _is_pair(table, *filters.pair)
    if filters.top_two is not None:
        yield _has_top_two(table, *filters.top_two)
    if filters.review is not None:
        yield _has_review(table, filters.review)
    if filters.tags:
        yield _has_tag(table, filters.tags)
    if filters.area is not None:
        yield _is_in_area(table, filters.area)


def _of_labels(table: pa.Table, filters: Filters) -> Iterator[Mask]:
    if filters.find:
        yield found_by(table, filters.find)
    if filters.groups:
        yield in_groups(table, filters.groups)


def _mask(values: pa.ChunkedArray | pa.Array) -> Mask:
    filled = pc.fill_null(values, False)
    return filled.to_numpy() if isinstance(filled, pa.ChunkedArray) else filled.to_numpy(zero_copy_only=False)


def _in_range(column: pa.ChunkedArray, wanted: Range) -> Iterator[Mask]:
    # Compare in the column's own precision: as a double, the float32 0.7 would be below a minimum of 0.7.
    whole = pa.types.is_integer(column.type)
    for end, compare in zip(wanted, (pc.greater_equal, pc.less_equal), strict=True):
        if end is not None:
            yield _mask(compare(column, pa.scalar(end, pa.float64() if whole else column.type)))


def _is_in_area(table: pa.Table, area: Area) -> Mask:
    if X not in table.column_names:  # this machine has no map of the run
        return np.zeros(table.num_rows, dtype=bool)
    sides = [*_in_range(table[X], (area.left, area.right)), *_in_range(table[Y], (area.top, area.bottom))]
    return np.logical_and.reduce(sides)


def _has_name(column: pa.ChunkedArray, part: str) -> Mask:
    # File systems differ in how they store é: as one character or as two.
    forms = {unicodedata.normalize(form, part) for form in ("NFC", "NFD")} | {part}
    found = [_mask(pc.match_substring(column, form, ignore_case=True)) for form in sorted(forms)]
    return np.logical_or.reduce(found)


def _is_pair(table: pa.Table, truth: str, label: str) -> Mask:
    matched = match(table)
    if truth not in matched.names or label not in matched.names:
        return np.zeros(table.num_rows, dtype=bool)
    true_code, label_code = matched.names.index(truth), matched.names.index(label)
    return np.asarray(matched.judged & (matched.truth == true_code) & (matched.prediction == label_code))


def _has_top_two(table: pa.Table, first: str, second: str) -> Mask:
    hits = np.zeros((2, table.num_rows), dtype=bool)
    for block in top_blocks(table):
        for position, label in enumerate((first, second)):
            if label in block.label.values:
                code = block.label.values.index(label)
                found = (block.positions == position) & (block.label.codes == code)
                hits[position, block.rows[found]] = True
    return np.asarray(hits[0] & hits[1])


def _has_review(table: pa.Table, wanted: str) -> Mask:
    is_known = "review" in table.column_names
    if wanted == STARRED:
        return _mask(table["star"]) if is_known else np.zeros(table.num_rows, dtype=bool)
    reviewed = _mask(pc.is_valid(table["review"])) if is_known else np.zeros(table.num_rows, dtype=bool)
    return reviewed if wanted == REVIEWED else ~reviewed


def _has_tag(table: pa.Table, tags: tuple[str, ...]) -> Mask:
    found = np.zeros(table.num_rows, dtype=bool)
    if "tags" in table.column_names:
        lists = pc.split_pattern(pc.fill_null(table["tags"], ""), ", ").combine_chunks()
        hits = pc.is_in(lists.flatten(), value_set=pa.array(tags, pa.string())).to_numpy(zero_copy_only=False)
        found[pc.list_parent_indices(lists).to_numpy()[hits]] = True
    return found
