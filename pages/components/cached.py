"""Everything that is computed once for each run and set of filters, and then shared by all viewers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components.opened import Key, Opened
from sparkcore.analysis import aggregates
from sparkcore.analysis.class_lookup import ClassLookup
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.comparison import Comparison, compare
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.metrics import Evaluation, evaluate
from sparkcore.analysis.paired import Paired, judge_pairs
from sparkcore.analysis.selection import select, sort
from sparkcore.analysis.truth import Match, has_truth, match
from sparkcore.errors import RequestError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore


def _key_of(opened: Opened) -> Key:
    return opened.key


BY_KEY: dict[str | type[Any], Any] = {Opened: _key_of}


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Hold the values that the filter widgets of one run offer."""

    labels: tuple[str, ...]
    entropy: float
    height: tuple[int, int]
    width: tuple[int, int]
    errors: tuple[str, ...]
    has_truth: bool
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold a comparison, and the row numbers of its changed images in both tables, left and right.

    `paired` says which run is better (None without true labels); `outcome` is that of the changed images.
    """

    comparison: Comparison
    rows: tuple[Rows, Rows]
    paired: Paired | None
    outcome: pa.Array


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=BY_KEY)
def matching_rows(opened: Opened, filters: Filters) -> Rows:
    """Return the numbers of the rows that pass, in the table's order; read-only."""
    return _read_only(select(opened.table, filters))


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=BY_KEY)
def sorted_rows(opened: Opened, filters: Filters, key: str, descending: bool, seed: int = 0) -> Rows:
    """Return the numbers of the rows that pass, ordered by one of `selection.SORT_KEYS`; read-only."""
    return _read_only(sort(opened.table, matching_rows(opened, filters), key, descending, seed))


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=BY_KEY)
def summary(opened: Opened, filters: Filters, name: str, **arguments: Any) -> pa.Table:
    """Return what the function `name` of `sparkcore.analysis.aggregates` makes of the rows that pass."""
    table: pa.Table = getattr(aggregates, name)(opened.table, rows=matching_rows(opened, filters), **arguments)
    return table


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=BY_KEY)
def evaluation(opened: Opened, filters: Filters) -> Evaluation | None:
    """Return the evaluation of the rows that pass; None where no true label of them is known."""
    if not has_truth(opened.table):
        return None
    try:
        return evaluate(opened.table, matching_rows(opened, filters))
    except RequestError:  # the filters leave no image with a true label
        return None


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=BY_KEY)
def truth(opened: Opened) -> Match | None:
    """Return the true and the predicted class of every row; None where no true label is known."""
    return match(opened.table) if has_truth(opened.table) else None


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=BY_KEY)
def filter_options(opened: Opened) -> FilterOptions:
    """Return the values that the filter widgets offer."""
    table = opened.table
    counts = aggregates.label_counts(table, top=table.num_rows)
    height, width = (pc.min_max(table[name]).as_py() for name in ("height", "width"))
    return FilterOptions(
        labels=tuple(sorted(counts["label"].to_pylist(), key=str.casefold)),
        entropy=math.ceil(10 * (pc.max(table["entropy"]).as_py() or 0.1)) / 10,
        height=(height["min"] or 0, height["max"] or 0),
        width=(width["min"] or 0, width["max"] or 0),
        errors=tuple(aggregates.error_counts(table)["error_type"].to_pylist()),
        has_truth=has_truth(table),
        tags=tuple(sorted({tag for one in opened.said.values() for tag in one.tags})),
    )


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=BY_KEY)
def classes(opened: Opened) -> ClassLookup:
    """Return the classes that the run's model knows; pass a run without reviews, which they do not change."""
    return ClassLookup.of(opened.table)


@st.cache_resource(max_entries=8, show_spinner="Comparing …", hash_funcs=BY_KEY)
def comparison(left: Opened, right: Opened) -> Compared:
    """Return the comparison of two runs."""
    found = compare(left.table, right.table)
    ids = found.changed["image_id"]
    places = [pc.index_in(ids, value_set=run.table["image_id"].combine_chunks()) for run in (left, right)]
    left_rows, right_rows = (_read_only(place.to_numpy().astype(np.int64)) for place in places)
    paired = judge_pairs(left.table, right.table)
    outcome = paired.outcome.take(pa.array(left_rows)) if paired else pa.nulls(len(left_rows), pa.string())
    return Compared(found, (left_rows, right_rows), paired, outcome)


def sizes_bytes(store: RunStore, manifests: Sequence[Manifest]) -> list[int]:
    """Return the sizes of runs on disk; each run is looked at once."""
    known = _known_sizes(store.uri)
    keys = [(manifest.run_id, manifest.finished_at) for manifest in manifests]
    new = [key for key in keys if key not in known]
    known.update(zip(new, store.sizes_bytes([run_id for run_id, _ in new]), strict=True))
    return [known[key] for key in keys]


@st.cache_resource(max_entries=4, show_spinner=False)
def _known_sizes(uri: str) -> dict[tuple[str, str], int]:
    del uri
    return {}


def _read_only(rows: Rows) -> Rows:
    rows.flags.writeable = False
    return rows
