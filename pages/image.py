"""One image large, with all that is known of it."""

from __future__ import annotations

import streamlit as st

from pages.components import browse, filters, frame, picture

opened = frame.show("image")
if opened is None:
    st.stop()

chosen = filters.show(opened)
rows = filters.matching_rows(opened, chosen)
number = browse.show(opened, rows)
if number is None:
    st.info("No image passes all filters. Remove one of them above.", icon=":material/filter_alt_off:")
    st.stop()

row = opened.table.slice(number, 1).to_pylist()[0]
left, right = st.columns([3, 2], gap="large")
with left:
    picture.show(opened, number, row)
with right:
    picture.show_guesses(row)
    picture.show_other_runs(opened, row)
    picture.show_facts(opened, number, row)
