"""Problems: every image that could not be read, and why; once more only for those."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components import crossfilter, filters, frame, panels, retry, shown
from pages.components.summary import summarize
from sparkcore.schema import STATUS_ERROR

opened = frame.show("problems")
if opened is None:
    st.stop()
counts = opened.manifest.counts
if counts.get("excluded"):
    st.caption(f"{counts['excluded']:,} more images were left out by the run's own limits of size and channels.")
if not counts["errors"]:
    st.success(f"All {counts['images']:,} images could be read.", icon=":material/check_circle:")
    st.stop()

wanted = replace(filters.show(opened), status=STATUS_ERROR)
rows = filters.matching_rows(opened, wanted)
shown.show(opened, wanted, rows)
left, right = st.columns([3, 2])
with left:
    reasons = summarize(opened, wanted.without("errors"), "error_counts")
    if reasons.num_rows:
        crossfilter.show_linked(panels.reasons(reasons, wanted), wanted, "errors", "label")
    else:
        st.info(
            "None of the images that could not be read passes the filters. Remove one.",
            icon=":material/filter_alt_off:",
        )
with right:
    retry.show(opened)
st.dataframe(
    panels.error_images(opened.table, rows),
    hide_index=True,
    column_config={
        "file_name": st.column_config.TextColumn("File", pinned=True),
        "error_type": st.column_config.TextColumn("Reason"),
        "error_message": st.column_config.TextColumn("What happened", width="large"),
        "size_bytes": st.column_config.NumberColumn("Size", format="bytes"),
        "origin": st.column_config.TextColumn("Where", width="large"),
    },
    alt="All images that could not be read, with the reason",
)
