"""Which of two runs is better, as numbers, a sentence and a table of classes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import tables, text
from sparkcore.analysis.paired import Paired


def show(paired: Paired | None) -> None:
    """Draw which run is better, where both know the true labels."""
    if paired is None:
        st.caption("Without true labels or reviews of the same images, nobody knows which run is better.")
        return
    with st.container(horizontal=True):
        st.metric("Accuracy of this run", text.percent(paired.accuracy_left), border=True)
        st.metric("Accuracy of the other run", text.percent(paired.accuracy_right), border=True)
        st.metric("Fixed", f"{paired.fixed:,}", help="Wrong in this run, correct in the other one.", border=True)
        st.metric("Broken", f"{paired.broken:,}", help="Correct in this run, wrong in the other one.", border=True)
    said = paired.sentence("this run", "the other run")
    st.markdown(f"**{said}** Judged on {text.images(paired.judged)} that both runs have.")
    _show_better_groups(paired)
    for what, name, found in (("Groups", "Group", paired.groups), ("Classes", "Class", paired.classes)):
        if found.num_rows:
            with st.expander(f"{what} that differ: {found.num_rows:,}"):
                _show_split(found, name)


def _show_better_groups(paired: Paired) -> None:
    left, right = paired.better_groups()
    for run, groups in (("This run", left), ("The other run", right)):
        if groups:
            names = ", ".join(map(text.escape, groups))
            st.markdown(f"{run} is better at {names} (McNemar's test, corrected for the number of groups).")


def _show_split(found: pa.Table, name: str) -> None:
    columns = {column: found[column] for column in found.column_names}
    columns["name"] = text.display_names(columns["name"])
    columns |= {side: pc.multiply(columns[side], 100) for side in ("accuracy_left", "accuracy_right")}
    st.dataframe(
        pa.table(columns),
        hide_index=True,
        height=tables.height(found.num_rows),
        column_config={
            "name": st.column_config.TextColumn(name, pinned=True, help="Of the true labels"),
            "images": tables.count("Images"),
            "accuracy_left": tables.percent("This run"),
            "accuracy_right": tables.percent("Other run"),
            "fixed": tables.count("Fixed"),
            "broken": tables.count("Broken"),
            "p_value": st.column_config.NumberColumn(
                "p", format="%.3f", help="McNemar's exact test of this row alone."
            ),
            "p_adjusted": st.column_config.NumberColumn(
                "p, corrected",
                format="%.3f",
                help="After Holm, for the number of rows. Below 0.05 a difference is hardly chance.",
            ),
        },
        alt=f"{name}: accuracy of both runs and McNemar's test",
    )
