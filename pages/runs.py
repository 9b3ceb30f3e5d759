"""Runs: the catalog of the store, and the selected run."""

from __future__ import annotations

import streamlit as st

from pages.components import cards, catalog, frame, unfinished
from pages.components.opened import finished_runs

opened = frame.show("runs")
if opened is None:
    st.stop()

catalog.show_table(opened, catalog.listed(opened.store))
unfinished.show(opened.store)

st.header("Selected run", anchor=False)
with st.container(border=True, key="selected"):
    catalog.show_actions(opened)
    left, right = st.columns(2, gap="large")
    with left:
        catalog.show_note(opened)
    with right:
        catalog.show_settings(opened.manifest)
cards.measure(opened.store, finished_runs(opened.store))
