"""What lies on this machine and nobody needs: in the state folder, in a local store, in the cache of models."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sparkcore.config import cache_folder
from sparkcore.origins import absolute_path, is_local, list_file, origin_of
from sparkcore.runs.deletion import end_deletion, interrupted_deletions, left_to_delete
from sparkcore.runs.garbage import Garbage, is_old
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.mapped import stale_maps
from sparkcore.runs.store import RunStore
from sparkcore.runs.unfinished import unfinished_runs
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.local import is_temporary

MODEL_UNUSED_S = 30 * 24 * 3600.0
_SENT = {"uploads": "unused upload", "lists": "unused list"}
_OURS = (
    "runs",
    "recipes",
    "probes",
    "reviews",
    "views",
    "policies",
    "calibrations",
    "mapped",
    "locks",
    "trash",
    "stops",
)
_FROZEN = re.compile(r"[0-9a-f]{64}\.(pb|ir|npz|json)")


def local_garbage(store: RunStore) -> Iterator[Garbage]:
    """Yield deleted runs, tables of runs that are gone, files of killed processes, and what is long unused."""
    for left in interrupted_deletions(store.storage, store.state):
        size_bytes = sum(left_to_delete(store.storage, left).values())
        yield Garbage("interrupted deletion", str(left), size_bytes, partial(end_deletion, store.storage, left))
    yield from (_file("mapped table of a deleted run", path) for path in stale_maps(store))
    yield from (_file("stop flag", path) for path in (store.state / "stops").glob("*") if _is_old_file(path))
    yield from (_folder("spilled listing", path) for path in _old_folders(store.state / "listings"))
    yield from _sent(store)
    for folder, names in _places(store):
        paths = (folder / name for name in names if is_temporary(name))
        yield from (_file("unfinished file", path) for path in paths if path.is_file() and _is_old_file(path))
    yield from _models(cache_folder())


def _places(store: RunStore) -> Iterator[tuple[Path, list[str]]]:
    """Yield the folders in which this program writes, each with its files.

    Of a folder that others may use too, these are the ones right in it.
    """
    local = [Path(store.uri)] if isinstance(store.storage, FolderStorage) else []
    for base in dict.fromkeys([store.state, *local]):
        yield base, _names(base)
        for name in _OURS:
            yield from ((Path(folder), names) for folder, _, names in os.walk(base / name))
    yield cache_folder(), _names(cache_folder())


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []


def _sent(store: RunStore) -> Iterator[Garbage]:
    """Yield uploaded pictures and lists that no run and no job uses, and those of interrupted uploads."""
    folders = [(kind, folder) for name, kind in _SENT.items() for folder in _old_folders(store.state / name)]
    used = _used_folders(store) if folders else None
    if used is not None:
        unused = (one for one in folders if not any(_overlap(one[1], other) for other in used))
        yield from (_folder(kind, folder) for kind, folder in unused)


def _used_folders(store: RunStore) -> list[Path] | None:
    """Return what runs and jobs read, or None where a run does not tell."""
    finished, unfinished = store.runs(), unfinished_runs(store)
    told = {run.run_id for run in finished} | {run.run_id for run in unfinished if run.folder}
    if any(store.has(run_id) for run_id in set(store.run_ids()) - told) or not all(run.folder for run in unfinished):
        return None
    images = [str(run.config["images"]) for run in finished] + [run.folder for run in unfinished]
    images += JobTable(store.jobs_path).images()
    lists = [path for path in map(list_file, images) if path is not None]
    used = [absolute_path(text) for text in images if is_local(text) and list_file(text) is None]
    return [*used, *lists, *(folder for path in lists for folder in _listed_uploads(store, path))]


def _listed_uploads(store: RunStore, path: Path) -> set[Path]:
    """Return the uploads that have the files of a list."""
    start = origin_of(store.state / "uploads") + "/"
    try:
        with path.open(encoding="utf-8") as lines:
            names = {line.removeprefix(start).partition("/")[0] for line in lines if line.startswith(start)}
    except (OSError, UnicodeDecodeError):
        return set()
    return {store.state / "uploads" / name for name in names}


def _overlap(folder: Path, used: Path) -> bool:
    return any(used.is_relative_to(one) or one.is_relative_to(used) for one in (folder, folder.resolve()))


def _models(cache: Path) -> Iterator[Garbage]:
    """Yield frozen models that nobody has used for long; the signature beside the graph is touched by each use."""
    for path in sorted(cache.glob("*")):
        pair = [one for one in map(path.with_suffix, (".pb", ".ir", ".npz", ".json")) if one.is_file()]
        if _FROZEN.fullmatch(path.name) and all(_is_old_file(one, MODEL_UNUSED_S) for one in pair):
            yield _file("unused model", path)


def _old_folders(parent: Path) -> Iterator[Path]:
    for folder in sorted(parent.glob("*")):
        if folder.is_dir() and all(_is_old_file(path) for path in (folder, *folder.rglob("*"))):
            yield folder


def _is_old_file(path: Path, *age_s: float) -> bool:
    try:
        return is_old(path.lstat().st_mtime, *age_s)
    except FileNotFoundError:
        return False


def _file(kind: str, path: Path) -> Garbage:
    try:
        size_bytes = path.lstat().st_size
    except FileNotFoundError:
        size_bytes = 0
    return Garbage(kind, str(path), size_bytes, partial(path.unlink, missing_ok=True))


def _folder(kind: str, path: Path) -> Garbage:
    size_bytes = sum(one.lstat().st_size for one in path.rglob("*") if one.is_file())
    return Garbage(kind, str(path), size_bytes, partial(shutil.rmtree, path, ignore_errors=True))
