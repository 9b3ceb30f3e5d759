"""Duplicates: equal and nearly equal pictures of a run, and which of them to keep."""

from __future__ import annotations

import streamlit as st

from pages.components import duplicates, frame

opened = frame.show("duplicates")
if opened is None:
    st.stop()
duplicates.show(opened)
