"""Evaluate: how often the predictions match the true labels, and which classes are confused."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components import (
    address,
    cached,
    crossfilter,
    decision,
    evaluation,
    exports,
    filters,
    frame,
    gallery,
    grouped,
    panels,
    preference,
    sorting,
)
from sparkcore.analysis.filters import INCORRECT
from sparkcore.analysis.truth import has_truth

RESULTS = "evaluate_results"

opened = frame.show("evaluate")
if opened is None:
    st.stop()
if not has_truth(opened.table):
    st.info(
        "This run has no true labels to compare the predictions with. If the names of folders or files contain them, "
        "run again with true labels. If not, review some of the pictures.",
        icon=":material/fact_check:",
    )
    st.page_link(
        "pages/run.py",
        label="Run again with true labels",
        icon=":material/replay:",
        query_params={"repeat": opened.run_id},
    )
    query = address.carried()
    st.page_link("pages/review.py", label="Review pictures", icon=frame.PAGES["review"][1], query_params=query)
    st.stop()

wanted = filters.show(opened)
exports.show(opened, sorting.rows(opened, wanted), wanted)
preference.show(opened)
# A selected pair and correct or incorrect choose images below; they do not change what is evaluated.
found = cached.evaluation(opened, wanted.without("pair").without("correct"))
if found is None:
    st.info(
        "None of these images has a true label and a prediction. Remove a filter.", icon=":material/filter_alt_off:"
    )
    st.stop()

evaluation.show_numbers(found)
evaluation.show_sources(opened)
evaluation.show_unknown_classes(found)
left, right = st.columns([3, 2])
with left:
    crossfilter.show_linked(panels.confusion(found, wanted), wanted, "pair", "cell", RESULTS)
with right:
    if found.pairs.num_rows:
        crossfilter.show_linked(panels.mistakes(found, wanted), wanted, "pair", "pair", RESULTS)
    else:
        st.success("Every prediction is correct.", icon=":material/check_circle:")
asked = wanted if wanted.pair or wanted.correct else replace(wanted, correct=INCORRECT)
rows = cached.sorted_rows(opened, asked, "score", descending=True)
with st.container(key=RESULTS):
    st.subheader(evaluation.describe_images(asked, len(rows)), anchor=False)
    if len(rows):
        gallery.show(opened, rows, key="worst")
    else:
        st.caption("No image matches.")
grouped.show_accuracy(cached.summary(opened, wanted.without("pair").without("correct"), "group_accuracy"))
evaluation.show_classes(found.classes)
decision.show(opened, wanted)
