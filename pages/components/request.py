"""A request on its way: what it begins with, the buttons that send it, and the queue that it joins."""

from __future__ import annotations

import streamlit as st

from pages.components import address, frame, settings, source, text
from pages.components.settings import Values
from pages.components.source import FOLDER, SAMPLES, UPLOAD, Source
from sparkcore import client, intake
from sparkcore.config import RunConfig
from sparkcore.errors import SparkcoreError
from sparkcore.runs.jobs import Job
from sparkcore.runs.store import RunStore
from sparkcore.samples import list_samples

EARLIER = 5
QUICK_LOOK = 75
_JOBS = 30
_REFUSED_KEY = "request_refused"


def recent_jobs() -> list[Job]:
    """Return the last jobs of the store, newest first."""
    return client.jobs(limit=_JOBS)


def watched(jobs: list[Job], job_id: str) -> list[Job]:
    """Return the jobs to be shown first: the one of the address, and all that wait or run."""
    return sorted((job for job in jobs if job.active or job.job_id == job_id), key=lambda job: job.created_at)


def show_refused(job_id: str) -> None:
    """Say which uploaded files are not in the job of the address, as long as that job is shown."""
    refused_of, refused = st.session_state.get(_REFUSED_KEY, ("", ()))
    if refused_of == job_id:
        source.show_refused(refused)


def known_folders(jobs: list[Job]) -> list[str]:
    """Return the folders of the last jobs, newest first."""
    return list(dict.fromkeys(job.config.images for job in jobs))


def repeated(store: RunStore, name: str) -> RunConfig | None:
    """Return the request of the run or job of this id, to begin a new one with; None where there is no such."""
    if not name:
        return None
    try:
        if frame.is_run_id(name) and store.has(name):
            return RunConfig.from_dict(store.manifest(name).config)
        return client.status(name).config
    except SparkcoreError:
        st.warning(f"There is no run or job {text.escape(name)} to repeat; these are the default settings.")
        return None


def show_welcome(store: RunStore) -> None:
    """Say what this is, with one button that shows it."""
    with st.container(border=True, key="welcome"):
        st.header("See what a model says about your pictures", anchor=False)
        st.write(
            "A folder of pictures goes in; for each picture come out the most likely labels with their scores, "
            "or the reason why it could not be read. Then browse, filter, compare and share the result. "
            "No pictures at hand? The built-in samples show all of it in about a minute."
        )
        if st.button(f"Classify {len(list_samples())} sample pictures", type="primary", icon=":material/play_arrow:"):
            submit(Source(SAMPLES), {"model": client.default_model(), "truth": "folder"}, store)


def show_buttons(pictures: Source) -> Values | None:
    """Draw the buttons that send the request; return what they add to it, None where none was pressed."""
    empty = (pictures.kind == UPLOAD and not pictures.files) or (pictures.kind == FOLDER and not pictures.text)
    with st.container(horizontal=True, vertical_alignment="center"):
        run = st.button("Run", type="primary", icon=":material/play_arrow:", disabled=empty)
        quick = st.button(
            f"Quick look at {QUICK_LOOK}",
            icon=":material/bolt:",
            disabled=empty,
            help=f"The same settings for at most {QUICK_LOOK} images: to try something out.",
        )
        if empty:
            st.caption("Choose pictures first.")
    return {} if run else {"sample": QUICK_LOOK} if quick else None


def submit(pictures: Source, values: Values, store: RunStore) -> None:
    """Send the request and show its job; what is wrong with it is said here."""
    try:
        images, refused = source.resolve(pictures, store)
        job = client.submit(settings.to_config(images, values, store), roots=intake.allowed_roots(store.root))
    except SparkcoreError as error:
        st.error(text.escape(str(error)), icon=":material/error:")
        return
    st.session_state[_REFUSED_KEY] = (job.job_id, refused)
    address.change({"job": job.job_id})
    st.rerun()
