"""Map: all pictures of a run at once, similar ones near each other."""

from __future__ import annotations

import streamlit as st

from pages.components import filters, frame, map_view

opened = frame.show("map")
if opened is None:
    st.stop()
map_view.show(opened, filters.show(opened))
