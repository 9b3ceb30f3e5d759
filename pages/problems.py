"""Problems: every unreadable image with its reason, and a second try for these images alone."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components import cached, crossfilter, exports, filters, frame, panels, problems, quality, sorting, text
from sparkcore.schema import STATUS_ERROR

opened = frame.show("problems")
if opened is None:
    st.stop()
counts = opened.manifest.counts
if counts.get("excluded"):
    st.caption(f"The run's limits on size and channels excluded {text.images(counts['excluded'])} more.")
if not counts["errors"]:
    st.success(f"All {text.images(counts['images'])} are readable.", icon=":material/check_circle:")
    quality.show(opened)
    st.stop()

wanted = replace(filters.show(opened), status=STATUS_ERROR)
rows = sorting.rows(opened, wanted)
exports.show(opened, rows, wanted)
left, right = st.columns([3, 2])
with left:
    reasons = cached.summary(opened, wanted.without("errors"), "error_counts")
    if reasons.num_rows:
        crossfilter.show_linked(panels.reasons(reasons, wanted), wanted, "errors", "label")
    else:
        st.info("No unreadable image passes the filters. Remove one.", icon=":material/filter_alt_off:")
with right:
    problems.show_retry(opened)
problems.show_images(opened, rows)
quality.show(opened)
