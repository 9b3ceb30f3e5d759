"""Everything that is computed once for each run and set of filters, and then shared by all viewers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components.opened import Key, Opened
from sparkcore.analysis import aggregates, groups
from sparkcore.analysis.class_lookup import ClassLookup
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.comparison import Comparison, compare
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.label_table import group_accuracy, label_table
from sparkcore.analysis.metrics import Evaluation, evaluate
from sparkcore.analysis.paired import Paired, judge_pairs
from sparkcore.analysis.selection import select, sort
from sparkcore.analysis.truth import Match, has_truth, match, true_labels
from sparkcore.errors import RequestError
from sparkcore.groups import GroupPath
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore


def _key_of(opened: Opened) -> Key:
    return opened.key


_SUMMARIES = {one.__name__: one for one in (group_accuracy, groups.group_counts, label_table)}

BY_KEY: dict[str | type[Any], Any] = {Opened: _key_of}


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Hold the values that the filter widgets of one run offer; `labels` have the paths of their groups."""

    labels: Mapping[str, GroupPath]
    groups: tuple[str, ...]
    entropy: float
    height: tuple[int, int]
    width: tuple[int, int]
    errors: tuple[str, ...]
    has_truth: bool
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold a comparison, and the row numbers of its changed images in both tables, left and right.

    `paired` says which run is better (None without true labels). `changed` is that of the comparison with the columns
    true_label and outcome (`Paired.outcome`), null where nothing is known.
    """

    comparison: Comparison
    rows: tuple[Rows, Rows]
    paired: Paired | None
    changed: pa.Table


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
    """Return what the function `name`, of `aggregates` or one of _SUMMARIES, makes of the rows that pass."""
    function = _SUMMARIES.get(name) or getattr(aggregates, name)
    table: pa.Table = function(opened.table, rows=matching_rows(opened, filters), **arguments)
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
    paths = groups.label_paths(table)
    height, width = (pc.min_max(table[name]).as_py() for name in ("height", "width"))
    return FilterOptions(
        labels={label: paths[label] for label in sorted(paths, key=str.casefold)},
        groups=groups.all_groups(paths),
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
def comparison(left: Opened, right: Opened, filters: Filters) -> Compared:
    """Return the comparison of two runs on the images of the left one that pass."""
    chosen = None if filters == Filters() else pa.array(matching_rows(left, filters))
    part = left.table if chosen is None else left.table.take(chosen)
    found = compare(part, right.table)
    if chosen is not None:  # of the images that the left run lacks, nobody knows whether they would pass
        found = replace(found, only_right=found.only_right[:0])
    places = [_places(found.changed, table) for table in (part, right.table)]
    in_part = pa.array(places[0])
    paired = judge_pairs(part, right.table)
    outcome = paired.outcome.take(in_part) if paired else pa.nulls(len(in_part), pa.string())
    changed = found.changed.append_column("true_label", true_labels(part).take(in_part))
    left_rows = places[0] if chosen is None else chosen.to_numpy()[places[0]]
    rows = _read_only(left_rows), _read_only(places[1])
    return Compared(found, rows, paired, changed.append_column("outcome", outcome))


def _places(changed: pa.Table, table: pa.Table) -> Rows:
    found = pc.index_in(changed["image_id"], value_set=table["image_id"].combine_chunks())
    return found.to_numpy().astype(np.int64)


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
