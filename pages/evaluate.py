"""Evaluate: how often the guesses are right where the truth is known, and which classes are confused."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components import crossfilter, evaluations, filters, frame, gallery, panels, shown
from sparkcore.analysis.filters import INCORRECT
from sparkcore.analysis.truth import has_truth

opened = frame.show("evaluate")
if opened is None:
    st.stop()
if not has_truth(opened.table):
    st.info(
        "The truth of these images is not known, so there is nothing to compare the guesses with. "
        "If folders or file names tell it, repeat the run with “truth” set to folder or filename.",
        icon=":material/fact_check:",
    )
    st.page_link(
        "pages/run.py", label="Repeat with the truth", icon=":material/replay:", query_params={"repeat": opened.run_id}
    )
    st.stop()

wanted = filters.show(opened)
shown.show(opened, wanted, filters.matching_rows(opened, wanted))
# A chosen pair and right or wrong are questions to the evaluation, not a part of the images to be judged.
evaluation = evaluations.find(opened, wanted.without("pair").without("correct"))
if evaluation is None:
    st.info("None of these images has a known truth and a guess. Remove a filter.", icon=":material/filter_alt_off:")
    st.stop()

evaluations.show_numbers(evaluation)
left, right = st.columns([3, 2])
with left:
    crossfilter.show_linked(panels.confusion(evaluation, wanted), wanted, "pair", "cell")
with right:
    if evaluation.pairs.num_rows:
        crossfilter.show_linked(panels.mistakes(evaluation, wanted), wanted, "pair", "pair")
    else:
        st.success("Every guess is right.", icon=":material/check_circle:")
asked = wanted if wanted.pair or wanted.correct else replace(wanted, correct=INCORRECT)
worst = evaluations.surest(opened, asked)
what = "mistakes" if asked.correct == INCORRECT else "images of this choice"
st.subheader(f"{len(worst):,} {what}, the surest first", anchor=False)
if len(worst):
    gallery.show(opened, worst, key="worst")
else:
    st.caption("There is no such image.")
evaluations.show_classes(evaluation.classes)
