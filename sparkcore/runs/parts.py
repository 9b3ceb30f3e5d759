"""The part files of a run, and reading their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.errors import RunFailedError
from sparkcore.runs.files_table import parts_so_far, read_files
from sparkcore.runs.layout import files_name, run_folder
from sparkcore.runs.manifest import Manifest
from sparkcore.schema import KEEP_FIELDS, PLACE_FIELDS, STATUS_EXCLUDED, result_schema
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage
from sparkcore.storage.opening import open_storage

FIRST_VERSION = 1  # of a manifest: that of sparkcore 0.1, whose part files are listed nowhere and have no excluded rows
_FILES_AT_ONCE = 4  # of an object store: in memory, and on their way
_FILES_AT_ONCE_HERE = 2
_SCHEMA = pa.schema([*result_schema(tuple(KEEP_FIELDS)), *PLACE_FIELDS])


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Name a Parquet file in the store, and its size."""

    name: str
    size_bytes: int


def stored_parts(storage: Storage, run_id: str, manifest: Manifest | None) -> tuple[StoredFile, ...]:
    """Return the committed part files of a run by their numbers; the manifest is None for an unfinished run.

    Raises RunFailedError where a finished run lacks its table of files.
    """
    if manifest is not None:
        return _parts_of_finished(storage.uri, run_id, manifest.finished_at, manifest.version)
    return tuple(StoredFile(part.name, part.size_bytes) for part in parts_so_far(storage, run_id))


@lru_cache(maxsize=16)
def _parts_of_finished(uri: str, run_id: str, finished_at: str, version: int) -> tuple[StoredFile, ...]:
    del finished_at  # a run that was deleted and computed again is another one
    storage = open_storage(uri)
    if version == FIRST_VERSION:
        return files_in(storage, f"{run_folder(run_id)}/results")
    try:
        return tuple(StoredFile(part.name, part.size_bytes) for part in read_files(storage, run_id))
    except FileNotFoundError:
        raise RunFailedError(f"Expected {files_name(run_id)} in {uri}, found none. Delete the run.") from None


def files_in(storage: Storage, folder: str) -> tuple[StoredFile, ...]:
    """Return the Parquet files of a folder in the order of their names."""
    _, entries = storage.list_folder(folder)
    return tuple(StoredFile(e.name, e.size_bytes) for e in entries if e.name.endswith(".parquet"))


def read_columns(
    storage: Storage, file: StoredFile, columns: Sequence[str], row_groups: Sequence[int] | None = None
) -> pa.Table:
    """Return columns of a file, or of some of its row groups; columns that the file does not have are null."""
    try:
        with storage.open_reader(file.name, file.size_bytes) as source:
            parquet = pq.ParquetFile(source, pre_buffer=True)  # few, large requests
            present = [name for name in columns if name in parquet.schema_arrow.names]
            if row_groups is None:
                return conform(parquet.read(columns=present), columns)
            return conform(parquet.read_row_groups(list(row_groups), columns=present), columns)
    except FileNotFoundError:
        raise RunFailedError(f"Expected {file.name} in {storage.uri}, found none. Delete the run.") from None


def read_files_ahead(storage: Storage, files: Iterable[StoredFile], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield columns of files one by one, while the next ones are read."""
    return map_ahead(partial(read_columns, storage, columns=columns), files, files_at_once(storage))


def files_at_once(storage: Storage) -> int:
    """Return how many files to read at once."""
    return _FILES_AT_ONCE_HERE if isinstance(storage, FolderStorage) else _FILES_AT_ONCE


def without_excluded(rows: pa.Table) -> pa.Table:
    """Return the rows of a part file that belong to the results."""
    return rows.filter(pc.not_equal(rows["status"], STATUS_EXCLUDED))


def empty_table(columns: Iterable[str]) -> pa.Table:
    """Return no rows with these columns."""
    return pa.schema([_SCHEMA.field(name) for name in columns]).empty_table()


def conform(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return the table with exactly these columns; those that it lacks are null."""
    schema = pa.schema([_SCHEMA.field(name) for name in columns])
    arrays = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)
