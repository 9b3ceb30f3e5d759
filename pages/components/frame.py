"""What every page begins with: page settings, navigation, the run it shows, and its heading.

A page calls it first, so that it is complete by itself: the first request of a server may reach a page without
passing through the router.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import streamlit as st

from pages.components import address, login, text
from sparkcore.config import EngineConfig
from sparkcore.errors import RunNotFoundError, SparkcoreError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.notes import Note, read_notes
from sparkcore.runs.store import RunStore

_log = logging.getLogger(__name__)

NAME = "Image classification"
# As a picture of its own: Streamlit's named icons would be fetched from the internet for the browser's tab.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0072B2"/>'
    '<circle cx="11" cy="11" r="3" fill="#F0E442"/><path d="M4 25l8-9 5 5 5-7 6 11z" fill="#fff"/></svg>'
)

# Page -> (title, icon, what it is for), in the order of the navigation.
PAGES = {
    "run": ("Run", ":material/play_circle:", "Classify pictures, and watch the queue."),
    "gallery": ("Gallery", ":material/grid_view:", "All pictures of a run with their labels."),
    "labels": ("Labels", ":material/label:", "How often each label was guessed."),
    "scores": ("Scores", ":material/bar_chart:", "How sure the model is."),
    "image": ("Image", ":material/image:", "One picture with all its guesses."),
    "compare": ("Compare", ":material/compare_arrows:", "What differs between two runs."),
    "evaluate": ("Evaluate", ":material/fact_check:", "How often the guesses are right."),
    "problems": ("Problems", ":material/broken_image:", "Pictures that could not be read, and why."),
    "runs": ("Runs", ":material/history:", "All runs of this store."),
}
_RUN_KEY = "frame_run"
_STYLE = Path(__file__).with_name("frame.css")


@dataclass(frozen=True)
class Opened:
    """Hold a finished run: `table` has one row an image, without pictures, and never changes."""

    store: RunStore
    manifest: Manifest
    table: pa.Table
    note: Note

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.manifest.run_id

    @cached_property
    def title(self) -> str:
        """Return the run's name for people."""
        return run_title(self.manifest, self.note)


def show(page: str) -> Opened | None:
    """Draw everything above the content of a page that shows one run, and return that run.

    Returns None where there is no such run, after saying what to do instead. The run is that of `?run=`, else the
    newest one.
    """
    store = begin(page)
    manifests = finished_runs(store)
    if not manifests:
        heading(page)
        _show_empty()
        return None
    run_id = address.get("run")
    if not run_id:
        run_id = manifests[0].run_id
        address.change({"run": run_id})
    _choose_run(store, manifests, run_id)
    try:
        opened = open_run(store, run_id)
    except SparkcoreError as error:
        heading(page)
        st.error(text.escape(str(error)), icon=":material/error:")
        st.page_link("pages/runs.py", label="See all runs", icon=PAGES["runs"][1])
        return None
    heading(page, _facts(opened))
    return opened


def begin(page: str) -> RunStore:
    """Draw the navigation of a page that does not show one run, and return the store; its heading is the page's."""
    title = PAGES[page][0]
    st.set_page_config(page_title=f"{title} · {NAME}", page_icon=ICON, layout="wide")
    st.html(_STYLE)
    login.require()
    with st.sidebar, st.container(gap="xxsmall"):
        for name, (label, link_icon, help_text) in PAGES.items():
            parameters = address.carried()
            st.page_link(
                f"pages/{name}.py",
                label=label,
                icon=link_icon,
                help=help_text,
                width="stretch",
                query_params=parameters,
            )
    return open_store()


def open_store() -> RunStore:
    """Return the store that this server shows."""
    return RunStore(EngineConfig.from_environment().store)


def open_run(store: RunStore, run_id: str) -> Opened:
    """Return a finished run; raises RunNotFoundError. All viewers share its table."""
    if not is_run_id(run_id):  # it comes from the address and becomes a path
        raise RunNotFoundError(
            f"Expected the id of a run, 16 hex digits, received {run_id!r}. Choose a run in the list."
        )
    manifest = store.manifest(run_id)
    return Opened(store, manifest, _table(str(store.root), run_id, manifest.finished_at), read_notes(store).of(run_id))


def is_run_id(text_of_id: str) -> bool:
    """Tell whether a text has the form of a run id."""
    return re.fullmatch(r"[0-9a-f]{16}", text_of_id) is not None


def finished_runs(store: RunStore) -> list[Manifest]:
    """Return the manifests of all finished runs, newest first."""
    paths = sorted(store.root.glob("runs/*/manifest.json"))
    return _manifests(str(store.root), tuple((p.parent.name, p.stat().st_mtime_ns) for p in paths))


def run_title(manifest: Manifest, note: Note) -> str:
    """Return a run's own name, or its model and what it read."""
    source = Path(manifest.config["images"].rstrip("/")).name or manifest.config["images"]
    return note.name or f"{manifest.model.get('name', manifest.config['model'])} on {source}"


def run_label(manifest: Manifest, note: Note) -> str:
    """Return the text for a run in a list to choose from."""
    when = text.moment(manifest.finished_at)
    return f"{run_title(manifest, note)} · {manifest.counts['images']:,} images · {when} · {manifest.run_id[:8]}"


@st.cache_resource(max_entries=8, show_spinner="Opening the run …")
def _table(root: str, run_id: str, finished_at: str) -> pa.Table:
    del finished_at  # part of the key: a run that was deleted and computed anew is another one
    return map_results(RunStore(root), run_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def _manifests(root: str, stamps: tuple[tuple[str, int], ...]) -> list[Manifest]:
    store, manifests = RunStore(root), []
    for run_id, _ in stamps:
        try:
            manifests.append(store.manifest(run_id))
        except (SparkcoreError, OSError, ValueError, TypeError) as error:  # one bad run must not hide the others
            _log.warning("run %s is left out: %s", run_id, error)
    return sorted(manifests, key=lambda manifest: (manifest.finished_at, manifest.run_id), reverse=True)


def _choose_run(store: RunStore, manifests: list[Manifest], run_id: str) -> None:
    notes = read_notes(store)
    labels = {manifest.run_id: run_label(manifest, notes.of(manifest.run_id)) for manifest in manifests}
    ids = list(labels) if run_id in labels else [run_id, *labels]
    st.sidebar.selectbox(
        "Run",
        ids,
        key=address.mirror(_RUN_KEY, run_id),
        format_func=lambda chosen: labels.get(chosen, f"{chosen} (not here)"),
        on_change=_change_run,
    )


def _change_run() -> None:
    address.change({"run": st.session_state[_RUN_KEY], "page": None, "image": None, "id": None})


def heading(page: str, facts: str = "") -> None:
    """Draw the title of a page and a line of facts below it."""
    title, _, about = PAGES[page]
    st.title(title, anchor=False)
    st.caption(facts or about)


def _facts(opened: Opened) -> str:
    manifest, counts = opened.manifest, opened.manifest.counts
    errors = f", {counts['errors']:,} not readable" if counts["errors"] else ""
    model = manifest.model.get("name", manifest.config["model"])
    named = f"**{text.escape(opened.note.name)}** · " if opened.note.name else ""
    source = text.escape(Path(manifest.config["images"].rstrip("/")).name or manifest.config["images"])
    when = text.moment(manifest.finished_at)
    return (
        f"{named}Run {manifest.run_id} · {text.escape(model)} on {source} · "
        f"{counts['images']:,} images{errors} · {when} UTC"
    )


def _show_empty() -> None:
    with st.container(border=True):
        st.header("Nothing has been classified yet", anchor=False)
        st.write(
            "This dashboard classifies pictures with a neural network and lets you look at what came out: "
            "browse, filter, compare and share. Start with the built-in samples or with your own pictures."
        )
        st.page_link("pages/run.py", label="Start the first run", icon=PAGES["run"][1])
