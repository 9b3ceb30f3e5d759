"""What a store and its state folder hold that nobody needs any more.

Whatever a run in progress may still name is young: objects and files count as garbage only after a day, except below
finished runs, whose names are all known.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sparkcore.errors import RunFailedError, StorageError, first_line
from sparkcore.runs.calibrations import unused_graphs
from sparkcore.runs.files_table import read_files
from sparkcore.runs.findings import DAMAGED
from sparkcore.runs.layout import manifest_name, plan_name, run_folder
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.manifests import read_manifest
from sparkcore.runs.parts import FIRST_VERSION
from sparkcore.runs.plan import Plan, read_plan
from sparkcore.runs.receipts import ReceiptBoard
from sparkcore.runs.store import RunStore
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Entry, Storage

YOUNG_S = 24 * 3600.0
_RUNS_AT_ONCE = 8
_REMOVALS_AT_ONCE = 16
_BELOW_A_WORD = re.compile(r"runs/[^/]+/(?!columns/|derived/)[^/]+/(listing|results|receipts)/.+")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Garbage:
    """Name an object or a local path that can be removed, and what it is."""

    kind: str
    name: str
    size_bytes: int
    remove: Callable[[], None] = field(repr=False, compare=False)


def is_old(modified_s: float, age_s: float = YOUNG_S) -> bool:
    """Tell whether something that was modified then is old enough to be removed."""
    return time.time() - modified_s > age_s


def remove_all(garbage: Iterable[Garbage]) -> Iterator[tuple[Garbage, str]]:
    """Remove garbage, several pieces at once; yield each with the reason why it could not be removed, or ""."""
    return map_ahead(_remove, garbage, _REMOVALS_AT_ONCE)


def _remove(one: Garbage) -> tuple[Garbage, str]:
    try:
        one.remove()
    except (OSError, StorageError) as error:
        return one, first_line(error)
    return one, ""


def store_garbage(store: RunStore) -> Iterator[Garbage]:
    """Yield the objects of a store that no run names: orphans, probes, recipes of deleted runs, lost models.

    Runs that cannot be understood are left alone, with a warning.
    """
    storage = store.storage
    for entry in storage.list("probes"):
        if _is_old(entry):
            yield _object("probe", storage, entry)
    recipes = list(storage.list("recipes"))  # before the runs: a recipe follows its plan
    finished = {manifest.run_id for manifest in store.runs()}
    for entry in recipes:
        run_id = entry.name.rpartition("/")[2]
        if run_id not in finished and not (store.has(run_id) or storage.exists(plan_name(run_id))):
            yield _object("recipe of a deleted run", storage, entry)
    yield from (_object("quantized model", storage, entry) for entry in unused_graphs(storage) if _is_old(entry))
    for orphans in map_ahead(partial(_orphans, storage), store.run_ids(), _RUNS_AT_ONCE):
        yield from orphans


def _orphans(storage: Storage, run_id: str) -> list[Garbage]:
    """Return the objects of a run that neither its plan nor a receipt names; none of a run that is damaged."""
    try:
        entries, is_finished = _unneeded(storage, run_id)
    except (RunFailedError, *DAMAGED) as error:
        _log.warning("Left run %s alone: %s", run_id, first_line(error))
        return []

    def orphan(entry: Entry) -> Garbage:
        remove = partial(_remove_orphan, storage, run_id, entry, is_finished=is_finished)
        return Garbage("orphan", entry.name, entry.size_bytes, remove)

    return [orphan(entry) for entry in entries]


def _unneeded(storage: Storage, run_id: str) -> tuple[list[Entry], bool]:
    """Return the objects of a run that nothing names, and whether the run is finished."""
    entries = list(storage.list(run_folder(run_id)))  # before what names them: names follow their objects
    manifest, plan = _manifest(storage, run_id), read_plan(storage, run_id)
    if manifest is not None and (manifest.version == FIRST_VERSION or plan is None):
        return [], True
    if manifest is None:
        entries = [entry for entry in entries if _is_old(entry)]
    if plan is not None:
        entries = [entry for entry in entries if _BELOW_A_WORD.fullmatch(entry.name)]
        entries = _unnamed(storage, plan, entries, is_finished=manifest is not None)
    return entries, manifest is not None


def _unnamed(storage: Storage, plan: Plan, entries: list[Entry], *, is_finished: bool) -> list[Entry]:
    folder = plan.folder
    named = {folder.listing(number) for number in range(len(plan.listing_bytes))}
    named |= {folder.receipt(bucket) for bucket in range(plan.buckets)}
    left = [entry for entry in entries if entry.name not in named]
    if is_finished and left:
        named |= {part.name for part in read_files(storage, plan.run_id)}
        left = [entry for entry in left if entry.name not in named]
    if any(entry.name.startswith(f"{folder.path}/results/") for entry in left):
        board = ReceiptBoard(storage, plan)
        board.poll()
        named |= {receipt.part for receipt in board.receipts.values()}
    return [entry for entry in left if entry.name not in named]


def _remove_orphan(storage: Storage, run_id: str, entry: Entry, *, is_finished: bool) -> None:
    """Delete an orphan, unless the run is no longer what it was: deleted, or finished meanwhile."""
    if storage.exists(manifest_name(run_id)) != is_finished:
        return
    storage.delete(entry.name)
    if isinstance(storage, FolderStorage):
        run, folder = Path(storage.uri, run_folder(run_id)), Path(storage.uri, entry.name).parent
        with suppress(OSError):  # not empty
            while folder.is_relative_to(run):
                folder.rmdir()
                folder = folder.parent


def _manifest(storage: Storage, run_id: str) -> Manifest | None:
    try:
        return read_manifest(storage, run_id)
    except FileNotFoundError:
        return None


def _object(kind: str, storage: Storage, entry: Entry) -> Garbage:
    return Garbage(kind, entry.name, entry.size_bytes, partial(storage.delete, entry.name))


def _is_old(entry: Entry) -> bool:
    return is_old(entry.modified_ns / 1e9)
