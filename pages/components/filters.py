"""Filter widgets in the sidebar, a chip for every active filter, and the way from a chart's selection to a filter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, order, text
from pages.components.frame import Opened
from sparkcore.analysis.aggregates import error_counts, label_counts
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.filters import CORRECT, FILTER_KEYS, INCORRECT, Filters, Range, describe
from sparkcore.analysis.selection import select, sort
from sparkcore.analysis.truth import has_truth
from sparkcore.schema import STATUS_ERROR, STATUS_OK

_STATUS = {STATUS_OK: "Readable", STATUS_ERROR: "Not readable"}
_CORRECT = {CORRECT: "Correct", INCORRECT: "Incorrect"}


def show(opened: Opened) -> Filters:
    """Draw the filter widgets in the sidebar and the chips here; return the filters of the address."""
    filters = address.filters()
    with st.sidebar:
        st.subheader("Filters", anchor=False)
        _show_widgets(opened, filters)
    show_chips(filters)
    return filters


def show_chips(filters: Filters) -> None:
    """Draw a button for every active filter, which removes it."""
    described = describe(filters)
    if not described:
        return
    with st.container(horizontal=True, gap="small", key="chips"):
        for field, said in described:
            st.button(
                text.escape(said),
                key=f"chip_{field}",
                icon=":material/close:",
                icon_position="right",
                help="Remove this filter",
                on_click=set_filter,
                kwargs={field: None},
            )
        if len(described) > 1:
            st.button("Clear all", key="chip_all", type="tertiary", on_click=clear)


def set_filter(**wanted: Any) -> None:
    """Change some filters of the address and keep the others; None removes one. To be called from callbacks."""
    address.change({"page": None, **_changed_query(address.filters(), wanted)})


def clear() -> None:
    """Remove all filters."""
    address.change({"page": None, **dict.fromkeys(FILTER_KEYS)})


def selection_to_filter(selection: Mapping[str, Any] | None, filter_names: Sequence[str]) -> dict[str, Any] | None:
    """Turn what a chart selected into the filter fields for `set_filter`; None where the selection is unusable.

    `selection` is the content of one selection of the chart's event: a list of picked marks, each with its fields
    (the last one counts), or the ends of an interval, as in {"low": [0.2, 0.6]}. `filter_names` says which filter
    gets it: ["labels"], ["errors"], ["score"] and the like, or ["pair"] or ["top_two"], which take the first two
    fields of a mark. An empty selection gives {name: None}: the filter is removed.
    """
    name = filter_names[0]
    if not selection:
        return {name: None}
    if isinstance(selection, Mapping):
        ends = next(iter(selection.values()))
        return {name: _range(ends)} if _range(ends) else None
    values = [value for value in selection[-1].values() if isinstance(value, str)]
    if name in ("pair", "top_two"):
        return {name: (values[0], values[1])} if len(values) >= 2 else None
    return {name: (values[0],)} if values else None


def matching_rows(opened: Opened, filters: Filters) -> Rows:
    """Return the numbers of the rows that pass, in the order of the address; shared by all viewers, read-only."""
    run = (str(opened.store.root), opened.run_id, opened.manifest.finished_at)
    return _ordered(run, opened.table, filters, order.current(), address.get_int("seed", 0, 0))


@st.cache_resource(max_entries=32, show_spinner=False)
def _ordered(run: tuple[str, ...], _table: pa.Table, filters: Filters, order_name: str, seed: int) -> Rows:
    del run  # part of the key, in place of the table
    key, _, direction = order_name.partition("-")
    rows = sort(_table, select(_table, filters), key, direction == "desc", seed)
    rows.flags.writeable = False
    return rows


def _changed_query(filters: Filters, wanted: Mapping[str, Any]) -> dict[str, address.Value]:
    changed = replace(filters, **{name: value or getattr(Filters(), name) for name, value in wanted.items()})
    return {**dict.fromkeys(FILTER_KEYS), **changed.to_query()}


def _range(ends: Any) -> Range | None:
    if not isinstance(ends, Sequence) or len(ends) != 2 or not all(isinstance(end, int | float) for end in ends):
        return None
    low, high = sorted(float(end) for end in ends)
    return (low, high)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Hold what the widgets of one run need to know; counted once a run."""

    labels: tuple[str, ...]
    entropy: float
    width: tuple[int, int]
    height: tuple[int, int]
    errors: tuple[str, ...]
    has_truth: bool


@st.cache_resource(max_entries=32, show_spinner=False)
def _facts(run: tuple[str, ...], _table: pa.Table) -> _Facts:
    del run
    counts = label_counts(_table, top=_table.num_rows)
    sides = [pc.min_max(_table[name]).as_py() for name in ("width", "height")]
    return _Facts(
        labels=tuple(sorted(counts["label"].to_pylist(), key=str.casefold)),
        entropy=math.ceil(10 * (pc.max(_table["entropy"]).as_py() or 0.1)) / 10,
        width=(sides[0]["min"] or 0, sides[0]["max"] or 0),
        height=(sides[1]["min"] or 0, sides[1]["max"] or 0),
        errors=tuple(error_counts(_table)["error_type"].to_pylist()),
        has_truth=has_truth(_table),
    )


def _show_widgets(opened: Opened, filters: Filters) -> None:
    run = (str(opened.store.root), opened.run_id, opened.manifest.finished_at)
    facts = _facts(run, opened.table)
    _show_many("Label", "label", filters.labels, facts.labels)
    _show_name(filters.name)
    _show_range("Score", "score", filters.score, (0.0, 1.0))
    if facts.has_truth:
        _show_choice("Guess", "correct", filters.correct, _CORRECT)
    if facts.errors:
        _show_choice("File", "status", filters.status, _STATUS)
        _show_many("Problem", "error", filters.errors, facts.errors)
    with st.expander("More filters"):
        _show_range("Margin", "margin", filters.margin, (0.0, 1.0))
        _show_range("Entropy", "entropy", filters.entropy, (0.0, facts.entropy))
        _show_range("Width in pixels", "width", filters.width, facts.width)
        _show_range("Height in pixels", "height", filters.height, facts.height)


def _show_many(label: str, name: str, value: tuple[str, ...], options: tuple[str, ...]) -> None:
    key = address.mirror(f"filter_{name}", list(value))
    unknown = [one for one in value if one not in options]
    st.multiselect(
        label,
        [*options, *unknown],
        key=key,
        placeholder="Any",
        format_func=text.words if name == "error" else str,
        on_change=address.writer(key, name, list),
    )


def _show_name(value: str) -> None:
    key = address.mirror("filter_name", value)
    st.text_input(
        "File name contains",
        key=key,
        type="search",
        placeholder="Any",
        on_change=address.writer(key, "name", default=""),
    )


def _show_choice(label: str, name: str, value: str | None, options: Mapping[str, str]) -> None:
    key = address.mirror(f"filter_{name}", value)
    st.segmented_control(
        label,
        list(options),
        key=key,
        format_func=options.__getitem__,
        on_change=address.writer(key, name),
        width="stretch",
    )


def _show_range(label: str, name: str, value: Range | None, bounds: tuple[float, float]) -> None:
    least, most = bounds
    if least >= most:
        return
    low, high = value or (None, None)
    inside = (_clip(least if low is None else low, bounds), _clip(most if high is None else high, bounds))
    key = address.mirror(f"filter_{name}", inside)
    whole = isinstance(least, int)
    st.slider(
        label,
        *bounds,
        key=key,
        step=1 if whole else 0.01,
        format="%d" if whole else "percent" if name == "score" else "%.2f",
        on_change=address.writer(key, name, partial(_range_texts, bounds=bounds)),
    )


def _clip(value: float, bounds: tuple[float, float]) -> float:
    # The same type as the bounds': a slider refuses a mixture.
    return type(bounds[0])(min(max(value, bounds[0]), bounds[1]))


def _range_texts(value: tuple[float, float], bounds: tuple[float, float]) -> list[str] | None:
    texts = ["" if end == bound else f"{end:.9g}" for end, bound in zip(value, bounds, strict=True)]
    return texts if any(texts) else None
