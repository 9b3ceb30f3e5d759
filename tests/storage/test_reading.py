from __future__ import annotations

import io
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.storage.reading import RangeReader


def reader_of(content: bytes) -> tuple[RangeReader, list[tuple[int, int]]]:
    """Return a reader, and the list of its requests so far."""
    requests: list[tuple[int, int]] = []

    def read_range(start: int, length: int) -> bytes:
        assert 0 <= start < start + length <= len(content)
        requests.append((start, length))
        return content[start : start + length]

    return RangeReader(read_range, len(content)), requests


def test_a_small_object_is_one_request() -> None:
    content = os.urandom(3_000_000)
    reader, requests = reader_of(content)
    for start in (2_999_000, 0, 1_500_000):
        reader.seek(start)
        assert reader.read(500) == content[start : start + 500]
    assert requests == [(0, 3_000_000)]


def test_small_reads_of_a_large_object_share_a_request() -> None:
    content = os.urandom(9_000_000)
    reader, requests = reader_of(content)
    assert b"".join(reader.read(1000) for _ in range(2000)) == content[:2_000_000]
    assert len(requests) == 2
    reader.seek(-8, io.SEEK_END)
    assert reader.read(8) == content[-8:]
    assert requests[2] == (9_000_000 - (1 << 20), 1 << 20)


def test_a_large_read_is_one_request() -> None:
    content = os.urandom(9_000_000)
    reader, requests = reader_of(content)
    buffer = bytearray(8_000_000)
    assert reader.readinto(memoryview(buffer)) == 8_000_000
    assert (bytes(buffer), requests) == (content[:8_000_000], [(0, 8_000_000)])


def test_one_column_of_a_large_parquet_file_needs_few_requests() -> None:
    sink = io.BytesIO()
    numbers = np.random.default_rng(0).random((4, 200_000))
    table = pa.table({name: pa.array(values) for name, values in zip("abcd", numbers, strict=True)})
    pq.write_table(table, sink, row_group_size=50_000)
    reader, requests = reader_of(sink.getvalue())
    assert pq.ParquetFile(reader, pre_buffer=True).read(columns=["b"]).equals(table.select(["b"]))
    assert len(requests) <= 5
