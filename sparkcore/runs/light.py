"""Reading the light columns of a run, and where each row has its picture, as a stream of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.classes import ClassName
from sparkcore.errors import RunFailedError
from sparkcore.runs.class_names import with_class_names
from sparkcore.runs.layout import columns_folder
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.parts import (
    FIRST_VERSION,
    StoredFile,
    conform,
    empty_table,
    files_at_once,
    files_in,
    read_columns,
    read_files_ahead,
    stored_parts,
)
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.interface import Storage


def light_tables(storage: Storage, manifest: Manifest, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield light columns of all rows of a finished run, sorted by image_id; the first table is empty.

    Runs of version 0.1 have their rows in the order of the parts, and of their places only part and row group. Raises
    RunFailedError where files are missing.
    """
    yield empty_table(columns)
    if manifest.version == FIRST_VERSION:
        parts = enumerate(stored_parts(storage, manifest.run_id, manifest))
        yield from map_ahead(partial(_rows_of_0_1, storage, columns), parts, files_at_once(storage))
    else:
        yield from _complete(storage, manifest, columns)


def named_tables(
    storage: Storage, manifest: Manifest, classes: tuple[ClassName, ...], columns: Sequence[str]
) -> Iterator[pa.Table]:
    """Yield the same with labels that tell all classes of the model apart; all tables have one schema."""
    tables = light_tables(storage, manifest, columns)
    if manifest.version == FIRST_VERSION:  # which classes these are is known when all rows are
        yield with_class_names(pa.concat_tables(tables), classes, manifest.model.get("classes"))
    else:
        yield from (with_class_names(table, classes) if classes else table for table in tables)


def _complete(storage: Storage, manifest: Manifest, columns: Sequence[str]) -> Iterator[pa.Table]:
    folder, rows = columns_folder(manifest.run_id), 0
    for table in read_files_ahead(storage, files_in(storage, folder), columns):
        rows += table.num_rows
        yield table
    if rows != manifest.counts["images"]:
        raise RunFailedError(
            f"Expected {manifest.counts['images']:,} rows in {storage.uri}/{folder}, found {rows:,}. Delete the run."
        )


def _rows_of_0_1(storage: Storage, columns: Sequence[str], numbered: tuple[int, StoredFile]) -> pa.Table:
    number, part = numbered
    rows = read_columns(storage, part, columns)
    if "part" not in columns and "row_group" not in columns:
        return rows
    with storage.open_reader(part.name, part.size_bytes) as file:
        metadata = pq.ParquetFile(file).metadata
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    places = {
        "part": pa.array(np.full(rows.num_rows, number, np.int32)),
        "row_group": pa.array(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)),
    }
    arrays = {name: places.get(name, rows[name]) for name in rows.column_names}
    return conform(pa.table(arrays), columns)
