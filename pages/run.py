"""Ask for a run, and watch the queue."""

from __future__ import annotations

import streamlit as st

from pages.components import address, frame, job, request, settings, source

store = frame.begin("run")
frame.heading("run")

jobs = request.recent_jobs()
if not jobs and not frame.finished_runs(store):
    request.show_welcome(store)

watched = request.watched(jobs, address.get("job"))
if watched:
    st.header("Now", anchor=False)
    for one in watched:
        job.show(one, store)

st.header("New run", anchor=False)
request.show_refused(address.get("job"))
repeated = request.repeated(store, address.get("repeat"))
prefix = f"request_{address.get('repeat')}_"
with st.container(border=True, key="request"):
    left, right = st.columns(2, gap="large")
    with left:
        pictures = source.show(store, request.known_folders(jobs), prefix, repeated.images if repeated else None)
    with right:
        values = settings.show(pictures, prefix, repeated)
    wanted = request.show_buttons(pictures)
if wanted is not None:
    request.submit(pictures, {**values, **wanted}, store)

ended = [one for one in jobs if one not in watched]
if ended:
    st.header("Earlier", anchor=False)
    for one in ended[: request.EARLIER]:
        job.show(one, store)
