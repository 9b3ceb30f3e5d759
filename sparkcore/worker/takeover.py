"""Copy rows of earlier runs: same recipe, same file, same size and version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.config import RunConfig
from sparkcore.runs.files_table import CommittedPart, parts_so_far
from sparkcore.schema import SOURCE_FIELDS, STATUS_ERROR, STATUS_EXCLUDED, STATUS_OK, result_schema
from sparkcore.storage.interface import Storage
from sparkcore.worker.image import passes

# Errors of the file system or of this program, which the next run may not see.
TRANSIENT_ERRORS = ("vanished", "unreadable", "internal", "too_slow")
_LOOK = ["image_id", "size_bytes", "version", "status", "error_type", "height", "width", "channels"]
_KEPT_OF_EXCLUDED = {
    *(field.name for field in SOURCE_FIELDS), "format", "mode", "height", "width", "channels", "truth",
    "content_hash",
}  # fmt: skip


class Donors:
    """The rows of a plan's donors; their tables of parts are read with the first bucket.

    With `errors`, rows of unreadable images are copied too, except those whose reason may be gone.
    """

    def __init__(self, storage: Storage, runs: tuple[str, ...], config: RunConfig, *, errors: bool) -> None:
        self._storage, self._runs, self._config, self._errors = storage, runs, config, errors
        self._parts: list[CommittedPart] | None = None

    def rows_for(self, listing: pa.Table) -> pa.Table:
        """Return the rows that are valid for listed files and the filters of the request, sorted by image_id."""
        schema = result_schema(self._config.keep)
        found = schema.empty_table()
        for part in self._overlapping(listing):
            if found.num_rows < listing.num_rows:
                missing = listing.filter(pc.invert(pc.is_in(listing["image_id"], found["image_id"].combine_chunks())))
                found = pa.concat_tables([found, *(rows.cast(schema) for rows in self._copied(part, missing))])
        return found.sort_by("image_id")

    def _overlapping(self, listing: pa.Table) -> Iterator[CommittedPart]:
        if not self._runs:
            return
        if self._parts is None:
            self._parts = [part for run_id in self._runs for part in parts_so_far(self._storage, run_id)]
        first, last = listing["image_id"][0].as_py(), listing["image_id"][-1].as_py()
        yield from (part for part in self._parts if part.first_id <= last and part.last_id >= first)

    def _copied(self, part: CommittedPart, listing: pa.Table) -> Iterator[pa.Table]:
        wanted = _keys(listing)
        with self._storage.open_reader(part.name, part.size_bytes) as source, pq.ParquetFile(source) as file:
            for group in range(file.num_row_groups):
                look = file.read_row_group(group, columns=_LOOK)
                states = look.select(_LOOK[3:]).to_pylist()
                usable = pa.array([self._is_usable(row) for row in states], pa.bool_())
                held = pc.and_(usable, pc.is_in(_keys(look), wanted))
                if pc.any(held).as_py():
                    yield self._excluding(file.read_row_group(group).filter(held))

    def _is_usable(self, row: dict[str, Any]) -> bool:
        if row["status"] == STATUS_ERROR:
            return self._errors and row["error_type"] not in TRANSIENT_ERRORS
        return row["status"] == STATUS_OK or not self._passes(row)

    def _passes(self, row: dict[str, Any]) -> bool:
        """Tell whether a row passes the size filters; an image that was never opened has no size and passes."""
        return row["height"] is None or passes(self._config, **{n: row[n] for n in ("height", "width", "channels")})

    def _excluding(self, rows: pa.Table) -> pa.Table:
        """Turn the rows that the filters of this request leave out into excluded ones."""
        sizes = rows.select(["height", "width", "channels"]).to_pylist()
        inside = pa.array([self._passes(row) for row in sizes], pa.bool_())
        if pc.all(inside).as_py():
            return rows
        columns = {
            field.name: rows[field.name]
            if field.name in _KEPT_OF_EXCLUDED
            else pc.if_else(inside, rows[field.name], pa.scalar(None, field.type))
            for field in rows.schema
        }
        columns["status"] = pc.if_else(inside, rows["status"], STATUS_EXCLUDED)
        return pa.table(columns, schema=rows.schema)


def _keys(rows: pa.Table) -> pa.Array:
    keys = pc.binary_join_element_wise(rows["image_id"], rows["size_bytes"].cast(pa.string()), rows["version"], "/")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
