"""A request for a run: its defaults, the buttons that submit it, and the jobs of the store."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components import address, place, settings, source, text, trouble
from pages.components.naming import QUICK_LOOK
from pages.components.opened import is_run_id
from pages.components.settings import Values
from pages.components.source import SAMPLES, Source
from sparkcore import client, intake
from sparkcore.config import FEATURES, RunConfig
from sparkcore.errors import SparkcoreError
from sparkcore.origins import list_file
from sparkcore.runs.jobs import Job
from sparkcore.runs.lists import find_list
from sparkcore.runs.store import RunStore
from sparkcore.samples import list_samples

EARLIER = 5
_JOBS = 30
_CHOOSING = ("sample", *(f"{end}_{side}" for end in ("min", "max") for side in ("width", "height", "channels")))
_REFUSED_KEY = "request_refused"


def recent_jobs() -> list[Job]:
    """Return the latest jobs of the store, newest first."""
    return client.jobs(limit=_JOBS)


def watched(jobs: list[Job], job_id: str) -> list[Job]:
    """Return the jobs to show first, oldest first: all active ones and that of the address."""
    return sorted((job for job in jobs if job.active or job.job_id == job_id), key=lambda job: job.created_at)


def open_finished(jobs: list[Job], job_id: str) -> None:
    """Make the run of this job the selected one as soon as it is finished, so that all links lead to it."""
    run_id = next((job.run_id for job in jobs if job.job_id == job_id and not job.active), None)
    if run_id and run_id != address.get("run"):
        address.change({"run": run_id})


def show_refused(job_id: str) -> None:
    """Name the uploaded files that the job of the address left out."""
    refused_of, refused = st.session_state.get(_REFUSED_KEY, ("", ()))
    if refused_of == job_id:
        source.show_refused(refused)


def known_folders(jobs: list[Job]) -> list[str]:
    """Return the folders of the latest jobs, newest first."""
    return list(dict.fromkeys(job.config.images for job in jobs if list_file(job.config.images) is None))


def repeated(store: RunStore, name: str) -> RunConfig | None:
    """Return the request of the run or job with this id, as defaults of a new one; None where there is none.

    The address may ask for features, which the run or job did without, and for a list of its pictures.
    """
    if not name:
        return None
    try:
        if is_run_id(name) and store.has(name):
            config = RunConfig.from_dict(store.manifest(name).config)
        else:
            config = client.status(name).config
    except SparkcoreError:
        st.warning(f"There is no run or job {text.escape(name)} to repeat. These are the default settings.")
        return None
    config = replace(config, features=address.get("features", config.features, FEATURES))
    listed = find_list(store, address.get("list")) if address.get("list") else None
    if address.get("list") and listed is None:
        st.warning("This list of pictures is no longer here. Choose them again in the gallery.")
    # What chose the pictures of that run has been done: a sample of a part would be a part of that.
    if listed is None:
        return config
    return RunConfig.from_dict({**config.to_dict(), **dict.fromkeys(_CHOOSING), "images": f"@{listed}"})


def show_welcome(store: RunStore) -> None:
    """Explain the dashboard, with one button that shows it at work."""
    with st.container(border=True, key="welcome"):
        st.header("See what a model says about your pictures", anchor=False)
        st.write(
            "Choose a folder of pictures, and you get the most likely labels for every picture, or the reason why it "
            "is unreadable. Then browse, filter, compare and share the results. "
            "No pictures at hand? The built-in samples show everything in about a minute."
        )
        if st.button(f"Classify {len(list_samples())} sample pictures", type="primary", icon=":material/play_arrow:"):
            submit(Source(SAMPLES), {"model": client.default_model(), "truth": "folder"}, store)


def show_buttons(pictures: Source) -> Values | None:
    """Draw the buttons that submit the request; return what they add to it, or None where none was pressed."""
    with st.container(horizontal=True, vertical_alignment="center"):
        run = st.button("Run", type="primary", icon=":material/play_arrow:", disabled=not pictures.is_usable)
        quick = st.button(
            f"Quick look at {QUICK_LOOK}",
            icon=":material/bolt:",
            disabled=not pictures.is_usable,
            help=f"A trial run with the same settings on a random sample of {QUICK_LOOK} images.",
        )
        if not pictures.is_usable and not pictures.text:
            st.caption("Choose pictures first.")
    return {} if run else {"sample": QUICK_LOOK} if quick else None


def submit(pictures: Source, values: Values, store: RunStore) -> None:
    """Submit the request and show its job, or the error."""
    try:
        images, refused = source.resolve(pictures, store)
        job = client.submit(settings.to_config(images, values, store), roots=intake.allowed_roots(store.state))
    except SparkcoreError as error:
        trouble.show(error)
        return
    st.session_state[_REFUSED_KEY] = (job.job_id, refused)
    address.change({"job": job.job_id})
    place.ask(f"job_{job.job_id}")
    st.rerun()
