"""Which of two runs is better, as numbers, a sentence and a table of classes."""

from __future__ import annotations

from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import text
from sparkcore.analysis.paired import Paired

_TABLE_HEIGHT = 350


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
    if paired.classes.num_rows:
        with st.expander("Classes that differ"):
            _show_classes(paired.classes)


def _show_classes(classes: pa.Table) -> None:
    columns = {name: classes[name] for name in classes.column_names}
    columns["name"] = text.display_names(columns["name"])
    columns |= {name: pc.multiply(columns[name], 100) for name in ("accuracy_left", "accuracy_right")}
    share = partial(st.column_config.NumberColumn, format="%.1f %%")
    st.dataframe(
        pa.table(columns),
        hide_index=True,
        height=min(_TABLE_HEIGHT, 40 + 35 * classes.num_rows),
        column_config={
            "name": st.column_config.TextColumn("Class", pinned=True),
            "images": st.column_config.NumberColumn("Images", format="localized"),
            "accuracy_left": share("This run"),
            "accuracy_right": share("Other run"),
            "fixed": st.column_config.NumberColumn("Fixed", format="localized"),
            "broken": st.column_config.NumberColumn("Broken", format="localized"),
        },
        alt="Accuracy of both runs for every class where they differ",
    )
