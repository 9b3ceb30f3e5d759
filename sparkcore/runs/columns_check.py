"""Checking the compacted columns of a run against its part files, in the order of the parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.runs.findings import DAMAGED, Findings
from sparkcore.runs.layout import columns_folder
from sparkcore.runs.part_check import CheckedPart, Pictures
from sparkcore.runs.parts import StoredFile, empty_table, read_columns
from sparkcore.schema import PLACE_FIELDS, light_schema
from sparkcore.storage.interface import Entry, Storage

_PART, _GROUP, _START, _LENGTH = (field.name for field in PLACE_FIELDS)
_COLUMNS = [*light_schema().names, _PART, _GROUP, _START, _LENGTH]


@dataclass(slots=True)
class ColumnsCursor:
    """Compare the rows of the columns files with the parts that they were made from."""

    storage: Storage
    run_id: str
    files: Mapping[str, Entry]
    findings: Findings
    _open: Iterator[StoredFile] = field(init=False)
    _rows: pa.Table = field(default_factory=lambda: empty_table(_COLUMNS))
    _parts: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    _done: int = 0
    _is_lost: bool = False

    def __post_init__(self) -> None:
        start = f"{columns_folder(self.run_id)}/"
        names = sorted(name for name in self.files if name.startswith(start) and name.endswith(".parquet"))
        self._open = iter([StoredFile(name, self.files[name].size_bytes) for name in names])
        if not names:
            self.findings.add(columns_folder(self.run_id), "missing")
            self._is_lost = True

    def compare(self, number: int, checked: CheckedPart) -> None:
        """Compare the rows of part `number`; parts must come in the order of their numbers."""
        rows = self._rows_of(number)
        if rows is None or checked.results is None:
            return
        name = f"{columns_folder(self.run_id)}, part {number}"
        self.findings.compare(name, "rows", rows.num_rows, checked.results.num_rows)
        if rows.num_rows != checked.results.num_rows:
            return
        differing = [n for n in checked.results.column_names if not _is_same(rows[n], checked.results[n])]
        if differing:
            self.findings.add(name, f"differs from {checked.name} in {', '.join(differing)}")
        elif checked.pictures is not None and not _leads_to(rows, checked.pictures):
            self.findings.add(name, f"its places do not lead to the thumbnails in {checked.name}")

    def finish(self) -> None:
        """Note the rows that belong to no part."""
        left = len(self._parts) - self._done
        while not self._is_lost and self._open_next():
            left += len(self._parts)
        if left and not self._is_lost:
            self.findings.add(columns_folder(self.run_id), f"{left:,} rows belong to no part file")

    def _rows_of(self, number: int) -> pa.Table | None:
        """Return the rows of a part, or None where an earlier file could not be read."""
        while self._done == len(self._parts) and not self._is_lost and self._open_next():
            pass
        if self._is_lost:
            return None
        first, end = (int(np.searchsorted(self._parts, number, side)) for side in ("left", "right"))
        if end <= self._done:
            return self._rows.slice(0, 0)
        if first > self._done:
            self.findings.add(columns_folder(self.run_id), f"{first - self._done:,} rows belong to no part file")
        self._done = end
        return self._rows.slice(first, end - first)

    def _open_next(self) -> bool:
        file = next(self._open, None)
        if file is None:
            return False
        try:
            self._rows = read_columns(self.storage, file, _COLUMNS)
            self._parts, self._done = self._rows[_PART].to_numpy(), 0
            if self._rows[_PART].null_count or (np.diff(self._parts) < 0).any():
                raise ValueError("its parts are not in their order")
        except DAMAGED as error:
            self.findings.unreadable(file.name, error)
            self._is_lost = True  # what follows cannot be assigned
        return True


def _is_same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    # A score that is not a number equals nothing, itself included.
    return left.equals(right) or repr(left.to_pylist()) == repr(right.to_pylist())


def _leads_to(rows: pa.Table, pictures: Pictures) -> bool:
    places = rows.select([_START, _LENGTH]).take(pa.array(pictures.rows, pa.int64())).to_pylist()
    return all(
        _cut(pictures, *place.values()) == expected for place, expected in zip(places, pictures.thumbnails, strict=True)
    )


def _cut(pictures: Pictures, start: int | None, length: int | None) -> bytes | None:
    if start is None or length is None:
        return None
    offset = start - pictures.start
    return pictures.chunk[offset : offset + length] if offset >= 0 else b""
