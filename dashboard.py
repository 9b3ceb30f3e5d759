"""The dashboard's entry point: `streamlit run dashboard.py`."""

from __future__ import annotations

import streamlit as st

from pages.components import frame, trouble

st.set_page_config(page_title=frame.NAME, page_icon=frame.ICON, layout="wide")
with trouble.guarded():
    frame.route().run()
