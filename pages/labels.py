"""Labels: how often each was guessed, how sure the model is of them, and which it weighs against each other."""

from __future__ import annotations

import streamlit as st

from pages.components import address, chart, crossfilter, filters, frame, panels, shown
from pages.components.summary import summarize

TOP_CHOICES = ("10", "20", "50")
DEFAULT_TOP = "20"

opened = frame.show("labels")
if opened is None:
    st.stop()
wanted = filters.show(opened)
shown.show(opened, wanted, filters.matching_rows(opened, wanted))

# Each chart shows what the other filters leave, so that its own choice can be changed in it.
others = wanted.without("labels")
top = address.get("top", DEFAULT_TOP, TOP_CHOICES)
counts = summarize(opened, others, "label_counts", top=int(top))
if not counts.num_rows:
    st.info("None of these images has a label. Remove a filter to see more.", icon=":material/filter_alt_off:")
    st.stop()
st.segmented_control(
    "Most frequent labels",
    TOP_CHOICES,
    required=True,
    key=address.mirror("labels_top", top),
    on_change=address.writer("labels_top", "top", default=DEFAULT_TOP),
)
left, right = st.columns(2)
with left:
    crossfilter.show_linked(panels.labels(counts, wanted), wanted, "labels", "label")
with right:
    chart.show(panels.spread(summarize(opened, others, "score_spread", top=int(top))), key="chart-spread")
pairs = summarize(opened, wanted.without("top_two"), "prediction_pairs", top=panels.PAIRS_SHOWN)
if pairs.num_rows:
    crossfilter.show_linked(panels.guesses(pairs, wanted), wanted, "top_two", "pair")
