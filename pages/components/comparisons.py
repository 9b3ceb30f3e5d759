"""Two runs side by side: which other run, what of the changes is wanted, and the comparison itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, frame, text
from pages.components.frame import Opened
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.comparison import Comparison, ConfigChange, compare
from sparkcore.runs.notes import read_notes

_KEY = "compare_with"
_WITH = "with"
_PAIR = "change"
_SPAN = "delta"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold which changed images are wanted: a pair of labels, left then right, and a range of the score's change."""

    pair: tuple[str, str] | None = None
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold a comparison, and for each of its changed images the row numbers in both tables, left and right."""

    comparison: Comparison
    rows: tuple[Rows, Rows]


def choose(left: Opened) -> Opened | None:
    """Draw the choice of the run to compare with, and return that run; None where there is no other."""
    notes = read_notes(left.store)
    others = [manifest for manifest in frame.finished_runs(left.store) if manifest.run_id != left.run_id]
    if not others:
        return None
    labels = {manifest.run_id: frame.run_label(manifest, notes.of(manifest.run_id)) for manifest in others}
    # Runs over the same images come first: they are the ones that an experiment leaves.
    same = {m.run_id for m in others if m.config["images"] == left.manifest.config["images"]}
    ids = sorted(labels, key=lambda run_id: run_id not in same)
    asked = address.get(_WITH)
    if asked and asked not in labels:
        st.warning(
            f"The run {text.escape(asked)} is not here. This is the comparison with another one.",
            icon=":material/warning:",
        )
    st.selectbox(
        "Compare with",
        ids,
        key=address.mirror(_KEY, asked if asked in labels else ids[0]),
        format_func=labels.__getitem__,
        on_change=_change_other,
    )
    return frame.open_run(left.store, st.session_state[_KEY])


def find(left: Opened, right: Opened) -> Compared:
    """Return the comparison of two runs; all viewers share it."""
    return _compared(
        (str(left.store.root), *((run.run_id, run.manifest.finished_at) for run in (left, right))), left, right
    )


def wanted() -> Wanted:
    """Return what the address asks for; impossible values ask for nothing."""
    query = address.query()
    pair, span = query.get(_PAIR, []), query.get(_SPAN, [])
    try:
        low, high = (float(end) for end in span)
    except ValueError:
        low = high = math.nan
    return Wanted(
        pair=(pair[0], pair[1]) if len(pair) == 2 else None,
        span=(low, high) if -1 <= low <= high <= 1 else None,
    )


def want(value: Wanted) -> None:
    """Write into the address what is wanted. To be called from callbacks."""
    span = None if value.span is None else [f"{end:.9g}" for end in value.span]
    address.change({_PAIR: value.pair, _SPAN: span, "page": None})


def only(changed: pa.Table, asked: Wanted) -> Rows:
    """Return the numbers of the rows of `Comparison.changed` that are wanted."""
    mask = np.ones(changed.num_rows, dtype=bool)
    if asked.pair is not None:
        for name, label in zip(("left_label", "right_label"), asked.pair, strict=True):
            mask &= pc.equal(changed[name], label).to_numpy()
    if asked.span is not None:
        change = changed["score_change"].to_numpy()
        mask &= (change >= np.float32(asked.span[0])) & (change <= np.float32(asked.span[1]))
    return np.flatnonzero(mask)


def show_settings(changes: list[ConfigChange]) -> None:
    """Draw the settings that differ between two runs."""
    with st.container(border=True):
        st.markdown("**What differs in the settings**")
        if not changes:
            st.caption("Nothing: both runs have the same settings, model and versions.")
            return
        rows = {
            "Setting": [_setting(change.name) for change in changes],
            "This run": [_said(change.left) for change in changes],
            "The other": [_said(change.right) for change in changes],
        }
        st.dataframe(pa.table(rows), hide_index=True, height="content", alt="Settings that differ between the two runs")


def _setting(name: str) -> str:
    return text.words(name.removeprefix("config.").replace(".", " · "))


def _said(value: object) -> str:
    return "not set" if value is None or value == [] else str(value)


def _change_other() -> None:
    address.change({_WITH: st.session_state[_KEY], _PAIR: None, _SPAN: None, "page": None})


@st.cache_resource(max_entries=8, show_spinner="Comparing …")
def _compared(runs: tuple[object, ...], _left: Opened, _right: Opened) -> Compared:
    del runs  # part of the key, in place of the tables
    comparison = compare(_left.table, _right.table)
    ids = comparison.changed["image_id"]
    left, right = (pc.index_in(ids, value_set=run.table["image_id"].combine_chunks()) for run in (_left, _right))
    return Compared(comparison, (left.to_numpy().astype(np.int64), right.to_numpy().astype(np.int64)))
