"""One job: its live progress, then its result."""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from pages.components import address, gallery, place, text, trouble
from pages.components.frame import PAGES
from pages.components.naming import request_name
from pages.components.opened import open_run
from sparkcore import client, intake
from sparkcore.errors import SparkcoreError
from sparkcore.runs.jobs import Job
from sparkcore.runs.logs import ENGINE_LOG
from sparkcore.runs.store import RunStore

_REFRESH_EVERY = "1s"
_FIRST_PICTURES = 12
_LOG_BYTES = 1_000_000
_ENGINE_WAIT_S = 90  # enough for a cold engine to start Java


def show(job: Job, store: RunStore, *, is_new: bool = False) -> None:
    """Draw a job, refreshed while it is active; a finished new one shows its first pictures."""
    live = st.fragment(trouble.guard(_draw), run_every=_REFRESH_EVERY if job.active else None)
    with st.container(border=True, key=f"job_{job.job_id}"):
        live(job.job_id, store, job.active, is_new)
        if is_new and job.run_id and not job.active:
            _show_first_pictures(job, store)


def _draw(job_id: str, store: RunStore, was_active: bool, is_new: bool) -> None:
    job = client.status(job_id)
    if was_active and not job.active:
        st.rerun()
    if job.active:
        _draw_active(job)
    else:
        _draw_ended(job, store, is_new)


def _draw_active(job: Job) -> None:
    now = time.time()
    phase = "waiting" if job.state == "queued" else job.phase or "starting"
    if job.cancel_requested:
        phase = "cancelling"
    st.markdown(f"**{text.escape(request_name(job.config.to_dict()))}** · {phase}")
    share = job.done / job.total if job.total else 0.0
    st.progress(min(share, 1.0), text=text.progress(job, now))
    with st.container(horizontal=True):
        st.button(
            "Cancel",
            key=f"cancel_{job.job_id}",
            icon=":material/stop_circle:",
            disabled=job.cancel_requested,
            on_click=_cancel,
            args=(job.job_id,),
        )
        silent_s = abs(now - (job.heartbeat_at or job.created_at))  # a clock may be set back
        if silent_s > _ENGINE_WAIT_S and client.engine_pid() is None:
            st.button(
                "Start the engine",
                key=f"engine_{job.job_id}",
                icon=":material/restart_alt:",
                help="No engine is running for this store: it was stopped, or the machine was restarted.",
                on_click=_start_engine,
            )


def _draw_ended(job: Job, store: RunStore, is_new: bool) -> None:
    title = text.escape(request_name(job.config.to_dict()))
    if job.state in ("complete", "cached") and job.run_id:
        _draw_finished(job, title, is_new)
    elif job.state == "cancelled":
        st.markdown(f":material/cancel: **{title}** · cancelled, finished images are kept")
        with st.container(horizontal=True):
            st.button(
                "Resume",
                key=f"resume_{job.job_id}",
                icon=":material/play_arrow:",
                help="Go on where the run stopped.",
                on_click=_resume,
                args=(job, store),
            )
            _offer_repeat(job)
    else:
        st.markdown(f":material/error: **{title}** · failed")
        st.error(f"{text.escape(job.message) or 'The run failed without a message.'} :small[Job {job.job_id}]")
        with st.container(horizontal=True, vertical_alignment="center"):
            _offer_log(job, store)
            _offer_repeat(job)


def _draw_finished(job: Job, title: str, is_new: bool) -> None:
    if job.state == "cached":
        said = "answered at once: these pictures and settings were computed before"
    else:
        took = (job.finished_at or 0.0) - (job.started_at or job.created_at)
        said = f"{text.images(job.total)} in {text.duration(took)}"
    errors = f", {job.errors:,} unreadable" if job.errors else ""
    st.markdown(f":material/check_circle: **{title}** · {said}{errors}")
    parameters = {"run": job.run_id or ""}
    with st.container(horizontal=True):
        if not is_new:
            gallery_icon = PAGES["gallery"][1]
            st.page_link("pages/gallery.py", label="Open the gallery", icon=gallery_icon, query_params=parameters)
        if job.errors:
            st.page_link("pages/problems.py", label="Problems", icon=PAGES["problems"][1], query_params=parameters)


def _show_first_pictures(job: Job, store: RunStore) -> None:
    try:
        opened = open_run(store, job.run_id or "")
    except SparkcoreError:  # it has been deleted since
        return
    total = opened.table.num_rows
    label = f"See the {total:,} pictures" if total != 1 else "See the picture"
    gallery.wall(opened, np.arange(min(total, _FIRST_PICTURES)), key=f"first_{job.job_id}")
    if st.button(label, key=f"see_{job.job_id}", type="primary", icon=PAGES["gallery"][1]):
        st.switch_page("pages/gallery.py", query_params={"run": opened.run_id})


def _offer_repeat(job: Job) -> None:
    st.page_link(
        "pages/run.py",
        label="Repeat with changes",
        icon=":material/replay:",
        query_params={"repeat": job.job_id},
    )


def _offer_log(job: Job, store: RunStore) -> None:
    st.download_button(
        "Download the log",
        data=lambda: _log_tail(store),
        file_name=f"engine-{job.job_id}.log",
        mime="text/plain",
        on_click="ignore",
        icon=":material/description:",
        key=f"log_{job.job_id}",
    )


def _log_tail(store: RunStore) -> bytes:
    path = store.state / "logs" / ENGINE_LOG
    if not path.is_file():
        return b"There is no log, because the engine did not start.\n"
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - _LOG_BYTES))
        return log.read()


def resume(job: Job, store: RunStore) -> Job | None:
    """Submit the same request again, which computes what is missing; None where it is refused, which is said."""
    try:
        roots = intake.allowed_roots(store.state)
        config = intake.within_roots(job.config, roots)
        return client.submit(config, retry_failed=job.retry_failed, roots=roots)
    except SparkcoreError as error:
        trouble.toast(error)
        return None


def _resume(job: Job, store: RunStore) -> None:
    resumed = resume(job, store)
    if resumed is not None:
        address.change({"job": resumed.job_id})
        place.ask(f"job_{resumed.job_id}")


def _start_engine() -> None:
    client.start_engine()


def _cancel(job_id: str) -> None:
    try:
        client.cancel(job_id)
    except SparkcoreError as error:
        trouble.toast(error)
