"""Part files: real Parquet, row groups bounded by rows and bytes, and the place of each thumbnail."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkcore.schema import result_schema
from sparkcore.storage.folder import FolderStorage
from sparkcore.worker.writer import ROW_GROUP_BYTES, ROW_GROUP_ROWS, PartWriter, thumbnail_places


def batches(thumbnails: list[bytes | None], batch_rows: int = 10, **more: list[Any]) -> list[pa.RecordBatch]:
    schema = result_schema(tuple(more))
    columns = {"image_id": [f"{n:016x}" for n in range(len(thumbnails))], "thumbnail": thumbnails, **more}
    arrays = [pa.array(columns.get(f.name, [None] * len(thumbnails)), f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema).to_batches(batch_rows)


def write(folder: Path, rows: list[pa.RecordBatch]) -> Path:
    writer = PartWriter(FolderStorage(folder), "a/part.parquet", rows[0].schema)
    for batch in rows:
        writer.write(batch)
    part = writer.finish()
    content = (folder / part.name).read_bytes()
    assert (part.size_bytes, part.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    return folder / part.name


def test_every_thumbnail_is_a_range_of_the_file(tmp_path: Path) -> None:
    # Equal pictures, pictures that contain each other's length and bytes, empty ones, and one larger than a page.
    repeated = b"\x04\x00\x00\x00same"
    some = [b"same", repeated, b"same", None, b"", repeated * 2, os.urandom(3 << 20), b"same", None, os.urandom(9000)]
    thumbnails = some * 15
    path = write(tmp_path, batches(thumbnails, 7))
    content = path.read_bytes()
    with pq.ParquetFile(path) as file:
        starts, lengths = thumbnail_places(file)
        assert file.read()["thumbnail"].to_pylist() == thumbnails
    for start, length, thumbnail in zip(starts.tolist(), lengths.tolist(), thumbnails, strict=True):
        assert (None if start < 0 else content[start : start + length]) == thumbnail


def test_row_groups_are_bounded_by_rows(tmp_path: Path) -> None:
    with pq.ParquetFile(write(tmp_path, batches([b"x"] * 150, 50))) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sizes == [ROW_GROUP_ROWS, ROW_GROUP_ROWS, 150 - 2 * ROW_GROUP_ROWS]


def test_row_groups_are_bounded_by_bytes(tmp_path: Path) -> None:
    pixels = [bytes(ROW_GROUP_BYTES // 3 * 2)] * 5
    with pq.ParquetFile(write(tmp_path, batches([b"x"] * 5, 5, pixels=pixels))) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        assert file.read()["pixels"].to_pylist() == pixels
    assert sizes == [2, 2, 1]


def test_an_abandoned_part_leaves_nothing(tmp_path: Path) -> None:
    rows = batches([b"x"] * 100)
    writer = PartWriter(FolderStorage(tmp_path), "a/part.parquet", rows[0].schema)
    for batch in rows:
        writer.write(batch)
    writer.abandon()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("rows", [0, 1])
def test_small_parts(tmp_path: Path, rows: int) -> None:
    schema = result_schema()
    path = write(tmp_path, batches([b"x"] * rows) or [pa.RecordBatch.from_pylist([], schema=schema)])
    with pq.ParquetFile(path) as file:
        assert file.metadata.num_rows == rows
        assert thumbnail_places(file)[0].shape == (rows,)
