"""A finished run as the pages see it, and the list of all of them."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import streamlit as st

from pages.components.naming import run_name
from sparkcore.config import EngineConfig
from sparkcore.errors import RunNotFoundError, SparkcoreError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.notes import Note, read_notes
from sparkcore.runs.store import RunStore

_log = logging.getLogger(__name__)

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
        return str(self.store.root), self.run_id, self.manifest.finished_at

    @cached_property
    def name(self) -> str:
        """Return the run's name for people."""
        return run_name(self.manifest, self.note)


def open_store() -> RunStore:
    """Return the store that this server shows."""
    return RunStore(EngineConfig.from_environment().store)


def open_run(store: RunStore, run_id: str) -> Opened:
    """Return a finished run; raises RunNotFoundError. All viewers share its table."""
    if not is_run_id(run_id):  # it comes from the address and becomes a path
        raise RunNotFoundError(
            f"Expected the id of a run, 16 hex digits, received {run_id!r}. Choose a run from the list."
        )
    manifest = store.manifest(run_id)
    return Opened(
        store, manifest, _table((str(store.root), run_id, manifest.finished_at)), read_notes(store).of(run_id)
    )


def is_run_id(candidate: str) -> bool:
    """Tell whether a text has the form of a run id."""
    return re.fullmatch(r"[0-9a-f]{16}", candidate) is not None


def finished_runs(store: RunStore) -> list[Manifest]:
    """Return the manifests of all finished runs, newest first."""
    paths = sorted(store.root.glob("runs/*/manifest.json"))
    return _manifests(str(store.root), tuple((p.parent.name, p.stat().st_mtime_ns) for p in paths))


@st.cache_resource(max_entries=8, show_spinner="Opening the run …")
def _table(key: Key) -> pa.Table:
    root, run_id, _ = key
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
