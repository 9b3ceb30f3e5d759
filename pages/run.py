"""Run: the form for a new run, and the jobs of the store."""

from __future__ import annotations

import streamlit as st

from pages.components import address, frame, job, request, settings, source
from pages.components.opened import finished_runs

jobs = request.recent_jobs()
job_id = address.get("job")
request.open_finished(jobs, job_id)
store = frame.begin("run")
frame.heading("run")

if not jobs and not finished_runs(store):
    request.show_welcome(store)

watched = request.watched(jobs, job_id)
if watched:
    st.header("Now", anchor=False)
    for one in watched:
        job.show(one, store, is_new=one.job_id == job_id)

st.header("Pictures and model", anchor=False)
request.show_refused(job_id)
repeated = request.repeated(store, address.get("repeat"))
prefix = f"request_{address.get('repeat')}{address.get('features')}{address.get('list')}_"
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
