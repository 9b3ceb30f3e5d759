"""The table of a run's committed part files, `files.parquet`: one row for each bucket, made from the receipts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.runs.layout import files_name
from sparkcore.runs.plan import read_plan
from sparkcore.runs.receipts import Receipt, ReceiptBoard
from sparkcore.storage.interface import Storage

FILES_SCHEMA = pa.schema(
    [
        pa.field("part", pa.int32()),
        pa.field("name", pa.string()),
        pa.field("bucket", pa.int32()),
        pa.field("rows", pa.int64()),
        pa.field("size_bytes", pa.int64()),
        pa.field("sha256", pa.string()),
        pa.field("first_id", pa.string()),
        pa.field("last_id", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class CommittedPart:
    """Name a committed part file and the range of its image ids; `part` is its number in the run."""

    part: int
    name: str
    bucket: int
    rows: int
    size_bytes: int
    sha256: str
    first_id: str
    last_id: str


def committed_parts(receipts: Iterable[Receipt]) -> list[CommittedPart]:
    """Return the part files of receipts, in the order of their buckets."""
    ordered = sorted(receipts, key=lambda receipt: receipt.bucket)
    return [
        CommittedPart(number, r.part, r.bucket, r.rows, r.size_bytes, r.sha256, r.first_id, r.last_id)
        for number, r in enumerate(ordered)
    ]


def write_files(storage: Storage, run_id: str, parts: Iterable[CommittedPart]) -> None:
    """Write the table; equal parts make an equal file."""
    rows = [{name: getattr(part, name) for name in FILES_SCHEMA.names} for part in parts]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=FILES_SCHEMA), sink, compression="zstd")
    storage.write(files_name(run_id), sink.getvalue().to_pybytes())


def read_files(storage: Storage, run_id: str) -> list[CommittedPart]:
    """Return the part files of a finished run; raises FileNotFoundError for any other."""
    table = pq.read_table(pa.BufferReader(storage.read(files_name(run_id))))
    return [CommittedPart(**row) for row in table.to_pylist()]


def is_compacted(storage: Storage, run_id: str) -> bool:
    """Tell whether a run has its table of files, which is written after its columns."""
    return storage.exists(files_name(run_id))


def parts_so_far(storage: Storage, run_id: str) -> list[CommittedPart]:
    """Return the part files of a run, finished or not; none where it has no plan."""
    try:
        return read_files(storage, run_id)
    except FileNotFoundError:
        plan = read_plan(storage, run_id)
    if plan is None:
        return []
    board = ReceiptBoard(storage, plan)
    board.poll()
    return committed_parts(board.receipts.values())
