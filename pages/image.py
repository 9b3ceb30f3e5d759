"""Image: one picture large, with everything that is known of it."""

from __future__ import annotations

import streamlit as st

from pages.components import answer, browse, filters, frame, heat, picture, similar, sorting

opened = frame.show("image")
if opened is None:
    st.stop()

wanted = filters.show(opened)
rows = sorting.rows(opened, wanted)
number = browse.show(opened, rows)
if number is None:
    st.info("No image passes all filters. Remove one of them above.", icon=":material/filter_alt_off:")
    st.stop()

row = opened.table.slice(number, 1).to_pylist()[0]
frame.name_tab("image", row["file_name"])
picture.show_verdict(opened, number, row)
left, right = st.columns([3, 2], gap="large")
with left:
    picture.show(opened, number, row)
    heat.show(opened, row)
with right:
    with st.expander("Review", icon=":material/how_to_reg:", expanded=True, key="image_review"):
        answer.show(answer.Subject(opened, number, row))
    picture.show_predictions(opened, number, row)
    picture.show_other_runs(opened, row)
    picture.show_details(row)
similar.show_strip(opened, row["image_id"])
