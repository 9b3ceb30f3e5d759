"""Scores: how sure the model is, and how many images a threshold would keep."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import (
    address,
    cached,
    crossfilter,
    decision,
    exports,
    filters,
    frame,
    panel,
    panels,
    preference,
    sorting,
    threshold,
)
from sparkcore.analysis.chart_style import CATEGORIES

opened = frame.show("scores")
if opened is None:
    st.stop()
wanted = filters.show(opened)
exports.show(opened, sorting.rows(opened, wanted), wanted)
preference.show(opened)
labels = cached.summary(opened, wanted, "label_counts", top=len(CATEGORIES))
if not labels.num_rows:
    st.info("None of these images has a score. Remove a filter to see more.", icon=":material/filter_alt_off:")
    st.stop()

is_split = st.toggle(
    "Split by label",
    key=address.mirror("scores_split", address.get("split") == "label"),
    on_change=address.writer("scores_split", "split", lambda _: "label", default=False),
    help="Shows the most frequent labels, each in its own color.",
)
split = {"labels": panels.named_labels(labels)} if is_split else {}
for column, place in zip(("score", "margin", "entropy"), (st.container(), *st.columns(2)), strict=True):
    with place:
        # Each chart shows what the other filters leave, so that its own selection can be changed in it.
        name = "histogram_by_label" if is_split else "histogram"
        bins = cached.summary(opened, wanted.without(column), name, column=column, **split)
        crossfilter.show_linked(panels.histogram(bins, column, getattr(wanted, column)), wanted, column, "brush")

others = wanted.without("score")
evaluation = cached.evaluation(opened, others)
curve = cached.summary(opened, others, "coverage") if evaluation is None else evaluation.thresholds
left, right = st.columns(2)
with left:
    coverage = panels.coverage(curve, threshold.value())
    panel.show(coverage, key="chart-coverage", controls=partial(threshold.show, curve, wanted))
if evaluation is not None:
    with right:
        panel.show(panels.reliability(evaluation), key="chart-reliability")
decision.show(opened, wanted)
