"""Sort the files of a listing by image_id, on disk where they are many."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.errors import StorageError
from sparkcore.schema import LISTING_SCHEMA, image_id

_IN_MEMORY_ROWS = 200_000  # 40 MB
_BATCH_ROWS = 10_000
_PREFIX_DIGITS = 2  # 256 pieces
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


class ListedFile(NamedTuple):
    """What a listing knows of a file; `modified_ms` is in milliseconds since the epoch, as Hadoop keeps it."""

    origin: str
    size_bytes: int
    modified_ms: int
    version: str


@dataclass(frozen=True, slots=True)
class SortedFiles:
    """Distinct files in the order of their image_ids.

    `digest` is the sha256 of their origins, sizes and versions in this order. `pieces` gives the tables again and
    again, with the columns of `LISTING_SCHEMA`, none of them empty.
    """

    images: int
    size_bytes: int
    digest: str
    pieces: Callable[[], Iterator[pa.Table]]


@contextmanager
def sorted_files(files: Iterable[ListedFile], folder: Path) -> Iterator[SortedFiles]:
    """Give the distinct files of a stream, sorted.

    Many are kept below `folder` until the end of the block, in pieces by the first byte of their image_id: at no time
    is more than one piece in memory. Raises StorageError where `folder` cannot be written.
    """
    spill = _Spill(folder)
    try:
        waiting: list[pa.Table] = [LISTING_SCHEMA.empty_table()]
        for table in _tables(files):
            waiting.append(table)
            if sum(map(len, waiting)) > _IN_MEMORY_ROWS:
                spill.append(pa.concat_tables(waiting))
                waiting = [LISTING_SCHEMA.empty_table()]
        rest = pa.concat_tables(waiting)
        if spill.names:
            spill.append(rest)
            yield _summed(spill.sorted_pieces(), spill.pieces)
        else:
            pieces = [_sorted(rest)] if len(rest) else []
            yield _summed(pieces, lambda: iter(pieces))
    finally:
        spill.remove()


@dataclass(slots=True)
class _Spill:
    """Files by the first digits of their image_ids, in a folder of their own that the first one makes."""

    parent: Path
    names: set[str] = field(default_factory=set)
    _folder: Path | None = None

    def append(self, table: pa.Table) -> None:
        table = _sorted(table)
        with self._translated():
            start = 0
            for counted in pc.value_counts(pc.utf8_slice_codeunits(table["image_id"], 0, _PREFIX_DIGITS)).to_pylist():
                # A stream for each batch: 256 files need not stay open.
                with self._path(counted["values"]).open("ab") as file:
                    _write(table.slice(start, counted["counts"]), file)
                start += counted["counts"]
                self.names.add(counted["values"])

    def sorted_pieces(self) -> Iterator[pa.Table]:
        """Sort each piece in its file, and yield it."""
        for name in sorted(self.names):
            with self._translated():
                piece = _sorted(_read(self._path(name)))
                with self._path(name).open("wb") as file:
                    _write(piece, file)
            yield piece

    def pieces(self) -> Iterator[pa.Table]:
        for name in sorted(self.names):
            with self._translated():
                piece = _read(self._path(name))
            yield piece

    def remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        if self._folder is None:
            self.parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="listing-", dir=self.parent))
        return self._folder / f"{name}.arrow"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise StorageError(
                f"{self.parent}: the names of a long listing cannot be kept here: {reason}. "
                "Choose another state folder."
            ) from error


def _tables(files: Iterable[ListedFile]) -> Iterator[pa.Table]:
    stream = iter(files)
    while batch := list(islice(stream, _BATCH_ROWS)):
        yield _table(batch)


def _table(files: list[ListedFile]) -> pa.Table:
    origins, sizes, times, versions = zip(*files, strict=True)
    modified_us = pc.multiply(pa.array(times, pa.int64()), 1000)
    columns = [
        pa.array(map(image_id, origins), pa.string()),
        pa.array(origins, pa.string()),
        pa.array(sizes, pa.int64()),
        modified_us.cast(LISTING_SCHEMA.field("modified_at").type),
        pa.array(versions, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=LISTING_SCHEMA)


def _sorted(table: pa.Table) -> pa.Table:
    """Sort by image_id and keep each once."""
    table = table.combine_chunks().sort_by("image_id")
    ids = table["image_id"].combine_chunks()
    if len(ids) < 2 or not pc.any(pc.equal(ids[1:], ids[:-1])).as_py():
        return table
    # Which one stays must not depend on the order in which they came.
    table = table.sort_by([(name, "ascending") for name in ("image_id", "origin", "version", "size_bytes")])
    ids = table["image_id"].combine_chunks()
    return table.filter(pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])]))


def _summed(pieces: Iterable[pa.Table], again: Callable[[], Iterator[pa.Table]]) -> SortedFiles:
    images, size_bytes, digest = 0, 0, hashlib.sha256()
    for piece in pieces:
        images += len(piece)
        size_bytes += pc.sum(piece["size_bytes"]).as_py() or 0
        for batch in piece.to_batches(max_chunksize=_BATCH_ROWS):
            digest.update(_lines(batch))
    return SortedFiles(images, size_bytes, digest.hexdigest(), again)


def _lines(batch: pa.RecordBatch) -> pa.Buffer:
    """Return a line with origin, size and version of each row, as one text."""
    sizes = batch["size_bytes"].cast(pa.string())
    lines = pc.binary_join_element_wise(batch["origin"], sizes, batch["version"], "\n", "\0")
    return lines.buffers()[2].slice(0, pc.sum(pc.binary_length(lines)).as_py())


def _write(table: pa.Table, file: object) -> None:
    with pa.ipc.new_stream(file, table.schema, options=_COMPRESSED) as stream:
        stream.write_table(table)


def _read(path: Path) -> pa.Table:
    """Read all the streams that were appended to a file."""
    with pa.OSFile(os.fspath(path)) as file:
        size, tables = file.size(), []
        while file.tell() < size:
            tables.append(pa.ipc.open_stream(file).read_all())
    return pa.concat_tables(tables)
