"""Compaction: the light columns of many part files in one file, with the place of each thumbnail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.runs.files_table import CommittedPart, committed_parts, write_files
from sparkcore.runs.layout import columns_name
from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import ReceiptBoard
from sparkcore.schema import PLACE_FIELDS, STATUS_EXCLUDED, light_schema
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.interface import Storage
from sparkcore.worker.writer import thumbnail_places

COLUMNS_ROWS = 250_000  # about so many in one file
_READS_AT_ONCE = 16
_SMALL_BUCKETS = 256
_SCHEMA = pa.schema([*light_schema(), *PLACE_FIELDS])


def file_groups(parts: Iterable[CommittedPart]) -> list[list[CommittedPart]]:
    """Divide consecutive parts into groups, each for one file of columns."""
    groups: list[list[CommittedPart]] = []
    rows = COLUMNS_ROWS
    for part in parts:
        if rows >= COLUMNS_ROWS:
            groups.append([])
            rows = 0
        groups[-1].append(part)
        rows += part.rows
    return groups


def compact_small(storage: Storage, plan: Plan) -> None:
    """Compact a run of few buckets whose last one was just committed; does nothing for any other.

    The task that commits the last bucket does this: a Spark job of its own would take longer than the compaction.
    """
    if plan.buckets > _SMALL_BUCKETS or plan.images > COLUMNS_ROWS:
        return
    board = ReceiptBoard(storage, plan)
    if board.is_complete():
        board.poll()
        parts = committed_parts(board.receipts.values())
        compact(storage, parts, columns_name(plan.run_id, 0))
        write_files(storage, plan.run_id, parts)


def compact(storage: Storage, parts: Sequence[CommittedPart], name: str) -> None:
    """Write the light columns of parts, without excluded rows; equal parts make an equal file."""
    with (
        storage.open_writer(name) as file,
        pq.ParquetWriter(file, _SCHEMA, compression="zstd") as writer,
    ):
        held: list[pa.Table] = []
        for table in map_ahead(partial(_light_rows, storage), parts, _READS_AT_ONCE):
            held.append(table)
            if sum(map(len, held)) >= COLUMNS_ROWS // 4:
                writer.write_table(pa.concat_tables(held).combine_chunks())
                held = []
        if held:
            writer.write_table(pa.concat_tables(held).combine_chunks())


def _light_rows(storage: Storage, part: CommittedPart) -> pa.Table:
    with storage.open_reader(part.name, part.size_bytes) as source, pq.ParquetFile(source) as file:
        starts, lengths = thumbnail_places(file)
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        rows = file.read(columns=light_schema().names)
    columns = {
        "part": pa.array(np.full(len(starts), part.part, np.int32)),
        "row_group": pa.array(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)),
        "thumbnail_start": pa.array(starts, mask=starts < 0),
        "thumbnail_bytes": pa.array(lengths.astype(np.int32), mask=starts < 0),
    }
    for name, values in columns.items():
        rows = rows.append_column(_SCHEMA.field(name), values)
    return rows.filter(pc.not_equal(rows["status"], STATUS_EXCLUDED)).select(_SCHEMA.names).cast(_SCHEMA)
