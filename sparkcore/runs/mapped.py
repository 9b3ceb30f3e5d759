"""A finished run as a memory-mapped table, and its thumbnails by row number.

The part files have small row groups, which suits thumbnails but makes reading all rows slow. The light columns are
therefore copied once into an Arrow file below `<store>/mapped/`. It opens instantly at any size, takes no memory of
its own, and is rebuilt when it is missing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from sparkcore.schema import SCHEMA_VERSION
from sparkcore.storage.local import replacing

BATCH_ROWS = 250_000
_VERSION = f"{SCHEMA_VERSION}.1"  # raised when other labels or metadata are written


def map_results(store: RunStore, run_id: str) -> pa.Table:
    """Return the rows of a finished run without pictures, memory-mapped; raises RunNotFoundError."""
    manifest = store.manifest(run_id)
    stamp = "".join(letter for letter in manifest.finished_at if letter.isdigit())
    path = store.root / "mapped" / f"{run_id}-{stamp}-{_VERSION}.arrow"
    if not path.is_file():
        table = load_results(store, run_id).combine_chunks()
        try:
            _write(path, table)
        except OSError:  # a read-only store
            return table
    return pa.ipc.open_file(pa.memory_map(os.fspath(path))).read_all()


def forget(store: RunStore, run_id: str) -> None:
    """Remove the mapped table of a deleted run."""
    for path in (store.root / "mapped").glob(f"{run_id}-*.arrow"):
        path.unlink(missing_ok=True)


def read_thumbnails(store: RunStore, run_id: str, rows: Sequence[int]) -> list[bytes | None]:
    """Return the JPEG thumbnails of rows by their number in `map_results`, reading only their row groups."""
    parts = store.parts(run_id)
    index = _index(tuple((os.fspath(path), path.stat().st_mtime_ns) for path in parts))
    numbers = np.asarray(rows, dtype=np.int64)
    places = np.searchsorted(index.starts, numbers, side="right") - 1
    found: dict[int, bytes | None] = {}
    for place in np.unique(places):
        wanted = numbers[places == place]
        column = index.read(int(place), "thumbnail")
        pictures = column.take(pa.array(wanted - index.starts[place])).to_pylist()
        found.update(zip(wanted.tolist(), pictures, strict=True))
    return [found[number] for number in numbers.tolist()]


@dataclass(frozen=True, slots=True)
class _Index:
    """Locate the rows of a run: the first row of each row group, and the file and number of that group."""

    starts: npt.NDArray[np.int64]
    groups: list[tuple[str, int]]
    metadata: dict[str, pq.FileMetaData]

    def read(self, place: int, column: str) -> pa.ChunkedArray:
        path, group = self.groups[place]
        # One reader per call, because a reader is not thread-safe.
        with pq.ParquetFile(path, metadata=self.metadata[path], memory_map=True) as part:
            return part.read_row_group(group, columns=[column])[column]


@lru_cache(maxsize=16)
def _index(parts: tuple[tuple[str, int], ...]) -> _Index:
    sizes: list[int] = []
    groups: list[tuple[str, int]] = []
    metadata = {path: pq.read_metadata(path) for path, _ in parts}
    for path, content in metadata.items():
        sizes += [content.row_group(group).num_rows for group in range(content.num_row_groups)]
        groups += [(path, group) for group in range(content.num_row_groups)]
    return _Index(np.cumsum([0, *sizes], dtype=np.int64)[:-1], groups, metadata)


def _write(path: Path, table: pa.Table) -> None:
    with (
        replacing(path) as temporary,
        pa.OSFile(os.fspath(temporary), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table, max_chunksize=BATCH_ROWS)
