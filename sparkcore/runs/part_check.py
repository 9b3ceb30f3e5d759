"""Checking one part file: is it whole, and what rows does it have?"""

from __future__ import annotations

import hashlib
import io
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.runs.files_table import CommittedPart
from sparkcore.runs.findings import DAMAGED, Findings, is_ascending
from sparkcore.runs.parts import StoredFile, conform
from sparkcore.schema import ADDED_IN_3, PLACE_FIELDS, STATUS_EXCLUDED, light_schema
from sparkcore.storage.interface import Entry, Storage

_WHOLE_BYTES = 32 << 20  # a smaller file is read in one request
_CHUNK_BYTES = 8 << 20
_GROUP = PLACE_FIELDS[1].name
_STATES = ["status", "error_type"]


@dataclass(frozen=True, slots=True)
class Pictures:
    """The thumbnails of one row group.

    `rows` are the numbers of its rows among those of the results, `chunk` the bytes of the file from `start` that hold
    the column.
    """

    rows: list[int]
    thumbnails: list[bytes | None]
    start: int
    chunk: bytes


@dataclass(slots=True)
class CheckedPart:
    """What a part file has: all image ids, the light columns of the rows that are results, and some thumbnails.

    `states` counts rows by status and error type. Nothing is known of a file that cannot be read.
    """

    name: str
    findings: Findings = field(default_factory=Findings)
    size_bytes: int = 0
    ids: pa.ChunkedArray | None = None
    states: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    results: pa.Table | None = None
    pictures: Pictures | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows, those that are no results included."""
        return 0 if self.ids is None else len(self.ids)


def check_part(storage: Storage, part: CommittedPart, entry: Entry | None) -> CheckedPart:
    """Read a part file and compare it with what was committed; `entry` is None for a file that is not there."""
    checked = CheckedPart(part.name)
    if entry is None:
        checked.findings.add(part.name, "missing")
        return checked
    checked.size_bytes = entry.size_bytes
    checked.findings.compare(part.name, "bytes", entry.size_bytes, part.size_bytes)
    try:
        with _open(storage, StoredFile(part.name, entry.size_bytes)) as file:
            if _sha256(file) != part.sha256:
                checked.findings.add(part.name, "its sha256 is not the one that was committed")
            file.seek(0)
            _read(file, checked)
    except DAMAGED as error:
        checked.findings.unreadable(part.name, error)
    if checked.ids is not None:
        _check_ids(checked, checked.ids, part)
    return checked


def check_part_of_0_1(storage: Storage, part: StoredFile) -> CheckedPart:
    """Read ids and states of a part file of version 0.1, of which nothing is committed."""
    checked = CheckedPart(part.name, size_bytes=part.size_bytes)
    try:
        with storage.open_reader(part.name, part.size_bytes) as file:
            rows = pq.ParquetFile(file).read(columns=["image_id", *_STATES])
        checked.ids, checked.states = rows["image_id"], _count_states(rows)
    except DAMAGED as error:
        checked.findings.unreadable(part.name, error)
    return checked


def _open(storage: Storage, file: StoredFile) -> BinaryIO:
    if file.size_bytes <= _WHOLE_BYTES:
        return io.BytesIO(storage.read(file.name))
    return storage.open_reader(file.name, file.size_bytes)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _read(file: BinaryIO, checked: CheckedPart) -> None:
    parquet = pq.ParquetFile(file)
    names = light_schema().names
    lacking = [name for name in [*names, "thumbnail"] if name not in parquet.schema_arrow.names]
    if not set(lacking) <= set(ADDED_IN_3):
        checked.findings.add(checked.name, f"lacks the columns {', '.join(lacking)}")
        return
    sizes = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
    groups = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    held = [name for name in names if name not in lacking]
    rows = conform(parquet.read(columns=held).append_column(_GROUP, pa.array(groups)), [*names, _GROUP])
    is_result = pc.not_equal(rows["status"], STATUS_EXCLUDED)
    checked.ids, checked.states = rows["image_id"], _count_states(rows)
    checked.results = rows.filter(is_result)
    if sizes:
        checked.pictures = _pictures(file, parquet, is_result.to_numpy(), groups, checked.name)


def _pictures(
    file: BinaryIO, parquet: pq.ParquetFile, is_result: np.ndarray, groups: np.ndarray, name: str
) -> Pictures:
    """Return the thumbnails of one row group, which depends on the name of the file alone."""
    group = random.Random(name).randrange(parquet.num_row_groups)
    start, length = _column_chunk(parquet, group, "thumbnail")
    thumbnails = parquet.read_row_group(group, columns=["thumbnail"])["thumbnail"]
    kept = is_result[groups == group]
    first = int(is_result[groups < group].sum())
    file.seek(start)
    return Pictures(
        rows=list(range(first, first + int(kept.sum()))),
        thumbnails=thumbnails.filter(pa.array(kept)).to_pylist(),
        start=start,
        chunk=file.read(length),
    )


def _column_chunk(parquet: pq.ParquetFile, group: int, name: str) -> tuple[int, int]:
    """Return first byte and length of a column in a row group."""
    metadata = parquet.metadata.row_group(group)
    columns = (metadata.column(number) for number in range(metadata.num_columns))
    chunk = next(column for column in columns if column.path_in_schema == name)
    return chunk.data_page_offset, chunk.total_compressed_size


def _count_states(rows: pa.Table) -> Counter[tuple[str, str | None]]:
    counted = rows.group_by(_STATES).aggregate([([], "count_all")]).to_pylist()
    return Counter({(row["status"], row["error_type"]): row["count_all"] for row in counted})


def _check_ids(checked: CheckedPart, ids: pa.ChunkedArray, part: CommittedPart) -> None:
    findings = checked.findings
    findings.compare(part.name, "rows", len(ids), part.rows)
    if not is_ascending(ids):
        findings.add(part.name, "its image ids are not sorted, or not distinct")
    if len(ids):
        findings.compare(part.name, "the first id", ids[0].as_py(), part.first_id)
        findings.compare(part.name, "the last id", ids[-1].as_py(), part.last_id)
