"""The wall of all pictures of a run."""

from __future__ import annotations

import streamlit as st

from pages.components import exports, filters, frame, gallery, order
from sparkcore.analysis.filters import Filters

opened = frame.show("gallery")
if opened is None:
    st.stop()

chosen = filters.show(opened)
rows = filters.matching_rows(opened, chosen)
total = opened.table.num_rows

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    share = f" of {total:,}" if chosen != Filters() else ""
    st.markdown(f"**{len(rows):,}{share} images**", width="content")
    with st.container(horizontal=True, width="content", vertical_alignment="bottom"):
        order.show()
        exports.show(exports.Shown(opened.store, opened.manifest, opened.table, rows, chosen))

if len(rows):
    gallery.show(opened, rows, key="wall", notes=order.notes(opened))
else:
    st.info("No image passes all filters. Remove one of them above.", icon=":material/filter_alt_off:")
