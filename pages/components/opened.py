"""A finished run as the pages see it, and the list of all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa
import streamlit as st

from pages.components import address, reviews
from pages.components.naming import run_name
from sparkcore.analysis.reviewed import has_label, reviewed_rows, with_said
from sparkcore.config import EngineConfig
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.progress import Step, Watch
from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.review import State
from sparkcore.runs.layouts import X, is_laid_out, read_layout, with_places
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import is_mapped, map_results
from sparkcore.runs.notes import Note, read_notes
from sparkcore.runs.store import RunStore

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Opened:
    """Hold a finished run; `table` has one row per image, without pictures, and with what people say of them.

    It has the places of a map once this machine has one.

    The table never changes; after a review there is another one. `plain` is the table without reviews, `said` has the
    reviews by row number.
    """

    store: RunStore
    manifest: Manifest
    table: pa.Table
    note: Note
    plain: pa.Table
    said: Mapping[int, State]

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.manifest.run_id

    @cached_property
    def key(self) -> Key:
        """Return what identifies the results in a cache; a run that was deleted and computed again is another one."""
        stamp = f"{self.manifest.finished_at}{' map' * self.has_map}"
        if self.said:
            stamp += f" {reviews.stamp(self.said)}{' first' * address.prefers_reviews()}"
        return self.store.uri, self.run_id, stamp

    @property
    def has_map(self) -> bool:
        """Tell whether the table has the place of each image on the map of the run."""
        return X in self.plain.column_names

    @cached_property
    def without_reviews(self) -> Opened:
        """Return the run as the model left it, whose caches live longer."""
        return replace(self, table=self.plain, said={})

    @cached_property
    def given_and_reviewed(self) -> int:
        """Return the number of pictures that have a true label of the run and a reviewed one."""
        judged = [row for row, state in self.said.items() if has_label(state)]
        return len(judged) - int(self.plain["truth"].take(pa.array(judged, pa.int64())).null_count)

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
    has_map = is_laid_out(store, manifest)
    plain = _table(store.uri, run_id, manifest.finished_at, has_map, _store=store)
    note = read_notes(store).of(run_id)
    revision = reviews.revision(store)
    if not revision:
        return Opened(store, manifest, plain, note, plain, {})
    key = (store.uri, run_id, f"{manifest.finished_at}{' map' * has_map}")
    first = address.prefers_reviews()
    table, said = _reviewed(key, (revision, first), _store=store, _plain=plain, _given=manifest.config["truth"])
    return Opened(store, manifest, table, note, plain, said)


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
def _table(uri: str, run_id: str, finished_at: str, has_map: bool, _store: RunStore) -> pa.Table:
    del uri, finished_at  # a run that was deleted and computed again is another one
    table = map_results(_store, run_id)
    try:
        return with_places(table, read_layout(_store, _store.recall(run_id))) if has_map else table
    except RunFailedError:  # it is damaged, which the page Map says
        return table


@st.cache_resource(max_entries=4, show_spinner=False)
def _reviewed(
    key: Key, version: tuple[int, bool], _store: RunStore, _plain: pa.Table, _given: str
) -> tuple[pa.Table, dict[int, State]]:
    del key
    said = reviewed_rows(_plain, ReviewBook(_store).states())
    return with_said(_plain, said, given=_given, reviews_first=version[1]), said
