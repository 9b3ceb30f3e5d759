"""The part file of a bucket: Parquet, written row group by row group straight into the store."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.storage.interface import Storage

ROW_GROUP_ROWS = 64  # a page of thumbnails must not read a whole part
ROW_GROUP_BYTES = 16 << 20
PLACES_KEY = b"sparkcore.thumbnails"


@dataclass(frozen=True, slots=True)
class PartFile:
    """Describe a finished part file."""

    name: str
    size_bytes: int
    sha256: str


class PartWriter:
    """Write one part file; it exists in the store only after `finish`."""

    def __init__(self, storage: Storage, name: str, schema: pa.Schema) -> None:
        self._name, self._schema = name, schema
        self._stack = ExitStack()
        self._sink = _Sink(self._stack.enter_context(storage.open_writer(name)))
        self._parquet = pq.ParquetWriter(pa.PythonFile(self._sink, "w"), schema, **_options(schema))
        self._sink.take()  # Parquet's first four bytes
        self._places: list[npt.NDArray[np.int64]] = []
        self._waiting: list[pa.RecordBatch] = []

    def write(self, rows: pa.RecordBatch) -> None:
        """Add rows; they form row groups of at most ROW_GROUP_ROWS rows and about ROW_GROUP_BYTES."""
        start = 0
        while start < rows.num_rows:
            room = ROW_GROUP_ROWS - sum(map(len, self._waiting))
            self._waiting.append(rows.slice(start, _fitting(rows, start, room)))
            start += len(self._waiting[-1])
            full = sum(map(len, self._waiting)) == ROW_GROUP_ROWS
            if full or sum(batch.nbytes for batch in self._waiting) >= ROW_GROUP_BYTES:
                self._flush()

    def finish(self) -> PartFile:
        """Complete the file in the store."""
        self._flush()
        self._parquet.add_key_value_metadata({PLACES_KEY: _packed(self._places)})
        self._parquet.close()
        self._stack.close()
        return PartFile(self._name, self._sink.size_bytes, self._sink.sha256)

    def abandon(self) -> None:
        """Leave nothing in the store."""
        self._sink.is_abandoned = True
        self._parquet.close()
        error = _AbandonedError()
        self._stack.__exit__(type(error), error, None)

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        self._waiting = []
        start = self._sink.size_bytes
        self._parquet.write_table(rows)
        self._places.append(_places(rows["thumbnail"], self._sink.take(), start))


def thumbnail_places(file: pq.ParquetFile) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each row of a part file has its thumbnail: first byte, -1 for none, and length in bytes."""
    packed = file.metadata.metadata[PLACES_KEY]
    places = np.frombuffer(base64.b64decode(packed), np.int64).reshape(2, -1)
    return places[0], places[1]


class _AbandonedError(Exception):
    """Ends an open writer without a file."""


class _Sink(io.RawIOBase):
    """Pass bytes on, with their digest, and remember those since the last `take`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._recent = bytearray()
        self.size_bytes = 0
        self.is_abandoned = False

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        view = memoryview(content)
        if self.is_abandoned:
            return len(view)
        self._file.write(view)
        self._digest.update(view)
        self._recent += view
        self.size_bytes += len(view)
        return len(view)

    def tell(self) -> int:
        return self.size_bytes

    def take(self) -> bytes:
        recent, self._recent = bytes(self._recent), bytearray()
        return recent

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _options(schema: pa.Schema) -> dict[str, object]:
    """Return how to write a part.

    Thumbnails are stored as they are, so that a range of the file is a picture. A dictionary of pictures would find
    nothing to share.
    """
    return {
        "compression": {name: "none" if name == "thumbnail" else "zstd" for name in schema.names},
        "use_dictionary": [field.name for field in schema if pa.types.is_string(field.type)],
        "write_statistics": ["image_id"],
    }


def _fitting(rows: pa.RecordBatch, start: int, room: int) -> int:
    """Return how many rows from `start` may be added at once: one where they have large pictures."""
    count = min(room, rows.num_rows - start)
    return count if rows.slice(start, count).nbytes < ROW_GROUP_BYTES else 1


def _places(thumbnails: pa.ChunkedArray, written: bytes, start: int) -> npt.NDArray[np.int64]:
    """Return the place of each thumbnail, int64 [2, n]: Parquet writes a length of four bytes before each value."""
    places = np.full((2, len(thumbnails)), -1, np.int64)
    cursor = 0
    for row, value in enumerate(thumbnails):
        if not value.is_valid:
            continue
        content = value.as_buffer().to_pybytes()
        cursor = written.index(struct.pack("<I", len(content)) + content, cursor) + 4
        places[:, row] = start + cursor, len(content)
        cursor += len(content)
    return places


def _packed(places: list[npt.NDArray[np.int64]]) -> bytes:
    return base64.b64encode(np.concatenate([np.empty((2, 0), np.int64), *places], axis=1).tobytes())
