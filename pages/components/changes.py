"""What changed between two runs, drawn: numbers, and charts that choose among the changed images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from zlib import crc32

import streamlit as st

from pages.components import chart, panels, text
from pages.components.comparisons import Wanted, want, wanted
from pages.components.filters import selection_to_filter
from sparkcore.analysis.comparison import Comparison


def show_numbers(comparison: Comparison) -> None:
    """Draw the numbers that sum a comparison up."""
    agreement = "-" if comparison.agreement is None else f"{comparison.agreement:.1%}"
    numbers = [
        ("Same label", agreement, "Share of the images with a label in both runs that have the same one."),
        ("Label changed", f"{comparison.changed.num_rows:,}", "Images with another label in the other run."),
        ("In both runs", f"{comparison.both:,}", "Images that both runs have, by where they lie."),
    ]
    others = [
        ("Only in this run", len(comparison.only_left), "Images that the other run does not have."),
        ("Only in the other", len(comparison.only_right), "Images that this run does not have."),
        ("Readable only here", comparison.lost, "Images with a label in this run and none in the other."),
        ("Readable only there", comparison.gained, "Images with a label in the other run and none in this one."),
    ]
    numbers += [(name, f"{count:,}", why) for name, count, why in others if count]
    with st.container(horizontal=True):
        for name, value, why in numbers:
            st.metric(name, value, help=why, border=True)


def show_charts(comparison: Comparison, asked: Wanted) -> None:
    """Draw which labels became which, and by how much scores changed; each of the charts chooses images."""
    if comparison.changed.num_rows:
        matrix, pairs = st.columns([3, 2])
        with matrix:
            _show(panels.change_matrix(comparison, asked.pair), "cell", asked.pair, _choose_pair)
        with pairs:
            _show(panels.change_pairs(comparison, asked.pair), "pair", asked.pair, _choose_pair)
    _show(panels.score_changes(comparison, asked.span), "brush", asked.span, _choose_span)


def show_chips(asked: Wanted) -> None:
    """Draw a button for each choice among the changed images, which removes it."""
    choices = {
        "pair": asked.pair and f"{asked.pair[0]} → {asked.pair[1]}",
        "span": asked.span and f"score change {100 * asked.span[0]:+.4g} % to {100 * asked.span[1]:+.4g} %",
    }
    with st.container(horizontal=True):
        for name, said in choices.items():
            if said:
                st.button(
                    text.escape(said),
                    key=f"change_chip_{name}",
                    icon=":material/close:",
                    icon_position="right",
                    help="Show the others too",
                    on_click=want,
                    args=(replace(asked, **{name: None}),),
                )


def _show(panel: chart.Panel, selection: str, value: Any, choose: Callable[[Any], None]) -> None:
    # A new key for a new value: see `chart.show`.
    key = f"change-{selection}-{crc32(repr(value).encode()):08x}"

    def listen(event: Mapping[str, Any]) -> None:
        choose(event.get(selection))

    chart.show(panel, key=key, on_select=listen)


def _choose_pair(selection: Any) -> None:
    change = selection_to_filter(selection, ["pair"])
    if change is not None:
        asked = wanted()
        want(replace(asked, pair=None if change["pair"] == asked.pair else change["pair"]))


def _choose_span(selection: Any) -> None:
    change = selection_to_filter(selection, ["score"])
    if change is not None:
        ends = change["score"]
        want(replace(wanted(), span=ends and (max(round(ends[0], 3), -1.0), min(round(ends[1], 3), 1.0))))
