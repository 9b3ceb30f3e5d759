"""A finished run as a memory-mapped table, and its thumbnails by row number.

The light columns are copied once from the store into an Arrow file below `<state>/mapped/`. It opens instantly at any
size, takes no memory of its own, and is rebuilt when it is missing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from sparkcore.progress import Step, Watch
from sparkcore.runs.class_names import with_own_groups
from sparkcore.runs.light import named_tables
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore
from sparkcore.runs.thumbnails import thumbnails_at
from sparkcore.schema import PLACE_FIELDS, SCHEMA_VERSION, light_schema
from sparkcore.storage.local import hold_lock, replacing

BATCH_ROWS = 250_000
_VERSION = f"{SCHEMA_VERSION}.2"  # raised when other labels or metadata are written
_SUFFIXES = (".arrow", ".embeddings", ".axes", ".short", ".layout")
_COLUMNS = [*light_schema().names, *(field.name for field in PLACE_FIELDS)]


def map_results(store: RunStore, run_id: str, watch: Watch | None = None) -> pa.Table:
    """Return the rows of a finished run without pictures, memory-mapped.

    The first call copies them; `watch` sees how far that is, and may end it. Other processes wait for the copy. Raises
    RunNotFoundError, or RunFailedError for a run whose files are missing.
    """
    return map_columns(store, run_id, watch).select(light_schema().names)


def map_columns(store: RunStore, run_id: str, watch: Watch | None = None) -> pa.Table:
    """Return the same with the columns that tell where each row has its thumbnail."""
    manifest, watch = store.recall(run_id), watch or Watch()
    path = mapped_path(store, manifest)
    if not path.is_file():
        try:
            with hold_lock(store.state / "locks" / f"mapped-{run_id}.lock", watch.check):
                if not path.is_file():
                    _copy(store, manifest, path, watch)
        except OSError:  # a state folder that this user may only read
            return _in_memory(store.uri, manifest.run_id, manifest.finished_at)
    return pa.ipc.open_file(pa.memory_map(os.fspath(path))).read_all()


def is_mapped(store: RunStore, run_id: str) -> bool:
    """Tell whether this machine has the columns of a finished run already; raises RunNotFoundError."""
    return mapped_path(store, store.recall(run_id)).is_file()


def read_thumbnails(store: RunStore, run_id: str, rows: Sequence[int]) -> list[bytes | None]:
    """Return the JPEG thumbnails of rows by their number in `map_results`, reading only these."""
    if not len(rows):
        return []
    places = map_columns(store, run_id).select(["image_id", *(field.name for field in PLACE_FIELDS)])
    return thumbnails_at(store.storage, store.recall(run_id), places.take(pa.array(rows, pa.int64())))


def forget(store: RunStore, run_id: str) -> None:
    """Remove the mapped table and arrays of a deleted run."""
    _in_memory.cache_clear()
    for path in (store.state / "mapped").glob(f"{run_id}-*"):
        path.unlink(missing_ok=True)


def stale_maps(store: RunStore) -> list[Path]:
    """Return what was mapped of runs that are gone, were computed again, or was mapped by another version."""
    folder = store.state / "mapped"
    found = sorted(path for suffix in _SUFFIXES for path in folder.glob(f"*{suffix}"))  # before the runs they follow
    kept = {mapped_path(store, manifest, suffix) for manifest in store.runs() for suffix in _SUFFIXES}
    return [path for path in found if path not in kept]


def mapped_path(store: RunStore, manifest: Manifest, suffix: str = ".arrow") -> Path:
    """Return the path of what this version maps of a run: its table, or its arrays by their suffix."""
    stamp = "".join(letter for letter in manifest.finished_at if letter.isdigit())
    return store.state / "mapped" / f"{manifest.run_id}-{stamp}-{_VERSION}{suffix}"


def _copy(store: RunStore, manifest: Manifest, path: Path, watch: Watch) -> None:
    done = 0
    tables = named_tables(store.storage, manifest, store.classes(manifest.run_id), _COLUMNS)
    first = next(tables)
    schema = with_own_groups(first.schema, store.groups(manifest.run_id))
    with (
        replacing(path) as temporary,
        pa.OSFile(os.fspath(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        writer.write_table(first, max_chunksize=BATCH_ROWS)
        for table in tables:
            watch.check()
            writer.write_table(table, max_chunksize=BATCH_ROWS)
            done += table.num_rows
            watch.progress(Step("opening", done, manifest.counts["images"]))


@lru_cache(maxsize=2)
def _in_memory(uri: str, run_id: str, finished_at: str) -> pa.Table:
    del finished_at  # a run that was deleted and computed again is another one
    store = RunStore(uri)
    table = pa.concat_tables(named_tables(store.storage, store.recall(run_id), store.classes(run_id), _COLUMNS))
    return table.replace_schema_metadata(with_own_groups(table.schema, store.groups(run_id)).metadata)
