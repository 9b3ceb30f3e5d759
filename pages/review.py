"""Review: one picture at a time, by keyboard alone."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import answer, filters, frame, picture, queue

opened = frame.show("review")
if opened is None:
    st.stop()

wanted = filters.show(opened)
chosen = queue.show_choice(opened)
order = queue.rows(opened, wanted, chosen)
if not len(order):
    st.info("There is no picture in this queue. Remove a filter, or take another queue.", icon=":material/done_all:")
    st.stop()

if chosen == queue.SAMPLE:
    queue.show_estimate(opened, wanted)
here = queue.place(opened, order)
number = int(order[here])
row = opened.table.slice(number, 1).to_pylist()[0]
queue.show_steps(opened, order, here)
left, right = st.columns([3, 2], gap="large")
with left, st.container(key="review_picture"):
    picture.show(opened, number, row)
with right:
    answer.show(answer.Subject(opened, number, row, partial(queue.go_on, opened, order, here)))
