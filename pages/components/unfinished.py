"""The runs of a store that were started and not finished: how far they are, and the way to go on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import streamlit as st

from pages.components import job, text
from pages.components.frame import PAGES
from pages.components.naming import request_name
from sparkcore import client
from sparkcore.runs.jobs import Job
from sparkcore.runs.store import RunStore
from sparkcore.runs.unfinished import UnfinishedRun, unfinished_runs

_SHOWN = 5
_JOBS = 200


def show(store: RunStore) -> None:
    """Draw a line for each unfinished run, with a button that resumes it where its request is known."""
    found = unfinished_runs(store)
    if not found:
        return
    jobs = client.jobs(limit=_JOBS)
    with st.expander(f"{len(found):,} unfinished", expanded=len(found) <= _SHOWN, icon=":material/pause_circle:"):
        for run in found[:_SHOWN]:
            _show_run(run, job_of(run, jobs), store)
        if len(found) > _SHOWN:
            st.caption(f"And {len(found) - _SHOWN:,} older ones. `sparkcore runs --unfinished` lists them.")


def job_of(run: UnfinishedRun, jobs: list[Job]) -> Job | None:
    """Return the job that planned a run, by its time and its folder; None for a run of a shell."""
    if not run.planned_at:
        return None
    planned = datetime.fromisoformat(run.planned_at).timestamp()
    for one in jobs:
        is_then = (one.started_at or one.created_at) <= planned <= (one.finished_at or planned)
        if is_then and run.folder.startswith(one.config.images.rstrip("/")):
            return one
    return None


def _show_run(run: UnfinishedRun, asked: Job | None, store: RunStore) -> None:
    name = request_name(asked.config.to_dict()) if asked else Path(run.folder).name or run.run_id
    facts = [f"{run.done:,} of {text.images(run.images)}" if run.images else "its plan is damaged"]
    facts += [f"{text.moment(run.planned_at)} UTC"] if run.planned_at else []
    with st.container(horizontal=True, vertical_alignment="center", key=f"unfinished_{run.run_id}"):
        st.markdown(" · ".join([f"**{text.escape(name)}**", *map(text.escape, facts)]), width="content")
        if asked and asked.active:
            st.page_link("pages/run.py", label="In progress", icon=PAGES["run"][1])
        elif asked:
            if st.button("Resume", key=f"resume_run_{run.run_id}", icon=":material/play_arrow:"):
                resumed = job.resume(asked, store)
                if resumed is not None:
                    st.switch_page("pages/run.py", query_params={"job": resumed.job_id})
        elif run.images:
            st.caption(
                f"Start a run of {text.escape(run.folder)} with the same settings to resume it.", width="content"
            )
