"""A finished run as the pages see it, and the list of all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import streamlit as st

from pages.components.naming import run_name
from sparkcore.config import EngineConfig
from sparkcore.errors import RunNotFoundError
from sparkcore.progress import Step, Watch
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import is_mapped, map_results
from sparkcore.runs.notes import Note, read_notes
from sparkcore.runs.store import RunStore

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Opened:
    """Hold a finished run; `table` has one row per image, without pictures, and never changes."""

    store: RunStore
    manifest: Manifest
    table: pa.Table
    note: Note

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.manifest.run_id

    @property
    def key(self) -> Key:
        """Return what identifies the results in a cache; a run that was deleted and computed again is another one."""
        return self.store.uri, self.run_id, self.manifest.finished_at

    @cached_property
    def name(self) -> str:
        """Return the run's name for people."""
        return run_name(self.manifest, self.note)


def open_store() -> RunStore:
    """Return the store that this server shows."""
    engine = EngineConfig.from_environment()
    return RunStore(engine.store, engine.state)


def open_run(store: RunStore, run_id: str) -> Opened:
    """Return a finished run; raises RunNotFoundError. All viewers share its table."""
    if not is_run_id(run_id):  # it comes from the address and becomes a path
        raise RunNotFoundError(
            f"Expected the id of a run, 16 hex digits, received {run_id!r}. Choose a run from the list."
        )
    manifest = store.manifest(run_id)
    _copy_columns(store, run_id)
    return Opened(
        store, manifest, _table(store.uri, run_id, manifest.finished_at, _store=store), read_notes(store).of(run_id)
    )


def is_run_id(candidate: str) -> bool:
    """Tell whether a text has the form of a run id."""
    return re.fullmatch(r"[0-9a-f]{16}", candidate) is not None


def finished_runs(store: RunStore) -> list[Manifest]:
    """Return the manifests of all finished runs, newest first."""
    return store.runs()


def _copy_columns(store: RunStore, run_id: str) -> None:
    """Copy the columns of a run to this machine, with a bar where it takes a while."""
    if is_mapped(store, run_id):
        return
    place = st.empty()

    def show(step: Step) -> None:
        if step.done < step.total:
            place.progress(step.done / step.total, f"Opening the run: {step.done:,} of {step.total:,} images")

    map_results(store, run_id, Watch(progress=show))
    place.empty()


@st.cache_resource(max_entries=8, show_spinner="Opening the run …")
def _table(uri: str, run_id: str, finished_at: str, _store: RunStore) -> pa.Table:
    del uri, finished_at  # a run that was deleted and computed again is another one
    return map_results(_store, run_id)
