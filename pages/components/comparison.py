"""What changed between two runs: the choice of the other run, numbers, settings, and charts that filter the images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, panels, place, text
from pages.components.crossfilter import selection_to_filter, show_selectable
from pages.components.naming import run_choices
from pages.components.opened import Opened, finished_runs, open_run
from pages.components.panel import csv_bytes
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.comparison import Comparison, ConfigChange
from sparkcore.analysis.paired import BROKEN, FIXED, Paired, describe_settings
from sparkcore.imaging.lettering import display_name
from sparkcore.runs.notes import read_notes

RESULTS = "compare_results"  # the container with the changed images
_KEY = "compare_with"
WITH = "with"
_PAIR = "change"
_SPAN = "delta"
_OUTCOME = "outcome"
CHANGE_KEYS = (_PAIR, _SPAN, _OUTCOME)
_ALL = "all"


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Hold which changed images are wanted.

    That is a pair of labels, left then right, a range of the change in score, and FIXED or BROKEN.
    """

    pair: tuple[str, str] | None = None
    span: tuple[float, float] | None = None
    outcome: str | None = None


def choose(left: Opened) -> Opened | None:
    """Draw the choice of the run to compare with, and return that run; None where there is no other."""
    notes = read_notes(left.store)
    others = [manifest for manifest in finished_runs(left.store) if manifest.run_id != left.run_id]
    if not others:
        return None
    labels = run_choices(others, notes)
    # Runs on the same images come first: they are what an experiment produces.
    same = {m.run_id for m in others if m.config["images"] == left.manifest.config["images"]}
    ids = sorted(labels, key=lambda run_id: run_id not in same)
    asked = address.get(WITH)
    if asked and asked not in labels:
        st.warning(
            f"There is no run {text.escape(asked)} in this store. This is the comparison with another one.",
            icon=":material/warning:",
        )
    st.selectbox(
        "Compare with",
        ids,
        key=address.mirror(_KEY, asked if asked in labels else ids[0]),
        format_func=labels.__getitem__,
        on_change=_change_other,
    )
    return open_run(left.store, st.session_state[_KEY])


def change_filter() -> ChangeFilter:
    """Return the filter in the address; invalid values are ignored."""
    query = address.query()
    pair, span = query.get(_PAIR, []), query.get(_SPAN, [])
    try:
        low, high = (float(end) for end in span)
    except ValueError:
        low = high = math.nan
    return ChangeFilter(
        pair=(pair[0], pair[1]) if len(pair) == 2 else None,
        span=(low, high) if -1 <= low <= high <= 1 else None,
        outcome=address.get(_OUTCOME, choices=("", FIXED, BROKEN)) or None,
    )


def matching_changes(changed: pa.Table, wanted: ChangeFilter) -> Rows:
    """Return the numbers of the rows of `cached.Compared.changed` that pass."""
    mask = np.ones(changed.num_rows, dtype=bool)
    if wanted.pair is not None:
        for name, label in zip(("left_label", "right_label"), wanted.pair, strict=True):
            mask &= pc.equal(changed[name], label).to_numpy()
    if wanted.outcome is not None:
        mask &= pc.fill_null(pc.equal(changed["outcome"], wanted.outcome), False).to_numpy()
    if wanted.span is not None:
        change = changed["score_change"].to_numpy()
        mask &= (change >= np.float32(wanted.span[0])) & (change <= np.float32(wanted.span[1]))
    return np.flatnonzero(mask)


def show_numbers(comparison: Comparison) -> None:
    """Draw the numbers that summarize a comparison."""
    agreement = "-" if comparison.agreement is None else text.percent(comparison.agreement)
    numbers = [
        ("Same label", agreement, "Share of the images labeled in both runs that have the same label."),
        ("Label changed", f"{comparison.changed.num_rows:,}", "Images with a different label in the other run."),
        ("In both runs", f"{comparison.both:,}", "Images that both runs have, matched by path."),
    ]
    others = [
        ("Only in this run", len(comparison.only_left), "Images that the other run does not have."),
        ("Only in the other run", len(comparison.only_right), "Images that this run does not have."),
        ("Readable only in this run", comparison.lost, "Images with a label in this run and none in the other."),
        ("Readable only in the other run", comparison.gained, "Images with a label in the other run and none in this."),
    ]
    numbers += [(name, f"{count:,}", why) for name, count, why in others if count]
    with st.container(horizontal=True):
        for name, value, why in numbers:
            st.metric(name, value, help=why, border=True)


def show_settings(changes: list[ConfigChange]) -> None:
    """Say which settings differ between two runs, and draw them as a table on request."""
    st.markdown(text.escape(describe_settings(changes)))
    if not changes:
        return
    rows = {
        "Setting": [text.setting_name(change.name.removeprefix("config.")).replace(".", " · ") for change in changes],
        "This run": [text.setting(change.left) for change in changes],
        "Other run": [text.setting(change.right) for change in changes],
    }
    with st.expander("All that differs, versions and digests too"):
        st.dataframe(pa.table(rows), hide_index=True, height="content", alt="Settings that differ between the two runs")


def show_outcomes(changed: pa.Table, paired: Paired | None) -> None:
    """Draw the choice between all changed images, the fixed and the broken ones."""
    if paired is None:
        return
    counts = {outcome: pc.sum(pc.equal(changed["outcome"], outcome)).as_py() or 0 for outcome in (FIXED, BROKEN)}
    names = {_ALL: f"All {changed.num_rows:,}"}
    names |= {outcome: f"{outcome.capitalize()} {count:,}" for outcome, count in counts.items()}
    key = address.mirror("compare_outcome", change_filter().outcome or _ALL)

    def choose() -> None:
        chosen = st.session_state[key]
        _filter_changes(replace(change_filter(), outcome=None if chosen == _ALL else chosen))

    st.segmented_control(
        "Outcome",
        list(names),
        key=key,
        required=True,
        format_func=names.__getitem__,
        on_change=choose,
        label_visibility="collapsed",
    )


def show_export(changed: pa.Table, rows: Rows, right: Opened) -> None:
    """Draw the download of the shown changes, and the way to review them."""
    part = changed.take(pa.array(rows))
    wanted = address.query()
    of_changes = {name: wanted[name] for name in CHANGE_KEYS if name in wanted}
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        if len(rows):
            st.page_link(
                "pages/review.py",
                label="Review these",
                icon=":material/how_to_reg:",
                query_params=address.carried(**{**of_changes, WITH: right.run_id, "queue": "changed"}),
            )
        st.download_button(
            "Changes (CSV)",
            data=lambda: csv_bytes(part),
            file_name="changes.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            disabled=not len(rows),
        )


def show_charts(comparison: Comparison, wanted: ChangeFilter) -> None:
    """Draw which labels became which, and by how much scores changed; each chart filters the images."""
    if comparison.changed.num_rows:
        matrix, pairs = st.columns([3, 2])
        with matrix:
            panel = panels.change_matrix(comparison, wanted.pair)
            show_selectable(panel, "change", "cell", wanted.pair, _choose_pair)
        with pairs:
            panel = panels.change_pairs(comparison, wanted.pair)
            show_selectable(panel, "change", "pair", wanted.pair, _choose_pair)
    panel = panels.score_changes(comparison, wanted.span)
    show_selectable(panel, "change", "brush", wanted.span, _choose_span)


def show_chips(wanted: ChangeFilter) -> None:
    """Draw a button for each filter on the changed images that removes it."""
    chips = {
        "pair": wanted.pair and display_name(f"{wanted.pair[0]} → {wanted.pair[1]}"),
        "span": wanted.span and f"change in score {100 * wanted.span[0]:+.4g} % to {100 * wanted.span[1]:+.4g} %",
    }
    with st.container(horizontal=True):
        for name, said in chips.items():
            if said:
                st.button(
                    text.escape(said),
                    key=f"change_chip_{name}",
                    icon=":material/close:",
                    icon_position="right",
                    help="Remove this filter",
                    on_click=_filter_changes,
                    args=(replace(wanted, **{name: None}),),
                )


def _choose_pair(selection: Any) -> None:
    chosen = selection_to_filter(selection, "pair")
    if chosen is not None:
        current = change_filter()
        _show_changes(replace(current, pair=None if chosen["pair"] == current.pair else chosen["pair"]))


def _choose_span(selection: Any) -> None:
    chosen = selection_to_filter(selection, "score")
    if chosen is not None:
        ends = chosen["score"]
        span = ends and (max(round(ends[0], 3), -1.0), min(round(ends[1], 3), 1.0))
        _show_changes(replace(change_filter(), span=span))


def _show_changes(wanted: ChangeFilter) -> None:
    _filter_changes(wanted)
    if wanted != ChangeFilter():
        place.ask(RESULTS)


def _filter_changes(wanted: ChangeFilter) -> None:
    span = None if wanted.span is None else [f"{end:.9g}" for end in wanted.span]
    address.change({_PAIR: wanted.pair, _SPAN: span, _OUTCOME: wanted.outcome, "page": None})


def _change_other() -> None:
    address.change({WITH: st.session_state[_KEY], _PAIR: None, _SPAN: None, _OUTCOME: None, "page": None})
