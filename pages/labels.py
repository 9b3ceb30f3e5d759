"""Labels: how often each was predicted, with which scores, and which other label was second."""

from __future__ import annotations

import streamlit as st

from pages.components import (
    address,
    cached,
    crossfilter,
    exports,
    filters,
    frame,
    grouped,
    panel,
    panels,
    sorting,
)

TOP_CHOICES = ("10", "20", "50")
DEFAULT_TOP = "20"

opened = frame.show("labels")
if opened is None:
    st.stop()
wanted = filters.show(opened)
exports.show(opened, sorting.rows(opened, wanted), wanted)

# Each chart shows what the other filters leave, so that its own selection can be changed in it.
others = wanted.without("labels")
top = address.get("top", DEFAULT_TOP, TOP_CHOICES)
counts = cached.summary(opened, others, "label_counts", top=int(top))
if not counts.num_rows:
    st.info("None of these images has a label. Remove a filter to see more.", icon=":material/filter_alt_off:")
    st.stop()
grouped.show_way(wanted)

first, second = st.columns(2)
table = st.container()
third, fourth = st.columns(2)
places = iter((first, second, third, fourth))
if cached.filter_options(opened).groups:
    with next(places):
        grouped.show_chart(opened, wanted)
with next(places):
    crossfilter.show_linked(panels.labels(counts, wanted), wanted, "labels", "label")
    st.segmented_control(
        "Most frequent labels",
        TOP_CHOICES,
        required=True,
        key=address.mirror("labels_top", top),
        on_change=address.writer("labels_top", "top", default=DEFAULT_TOP),
    )
with next(places):
    panel.show(panels.spread(cached.summary(opened, others, "score_spread", top=int(top))), key="chart-spread")
pairs = cached.summary(opened, wanted.without("top_two"), "prediction_pairs", top=panels.PAIRS_SHOWN)
if pairs.num_rows:
    with next(places):
        crossfilter.show_linked(panels.top_two(pairs, wanted), wanted, "top_two", "pair")
with table:
    grouped.show_labels(cached.summary(opened, others, "label_table"), wanted)
