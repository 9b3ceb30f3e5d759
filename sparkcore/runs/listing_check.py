"""Checking the listing files of a run against its plan, in the order of the buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.runs.findings import DAMAGED, Findings, is_ascending
from sparkcore.runs.plan import BUCKETS_PER_LISTING, Plan
from sparkcore.storage.interface import Entry, Storage


@dataclass(slots=True)
class ListedIds:
    """Give the listed image ids of buckets; each listing file is checked when its first bucket is asked for."""

    storage: Storage
    plan: Plan
    files: Mapping[str, Entry]
    findings: Findings
    _number: int = -1
    _ids: pa.ChunkedArray | None = None
    _last_id: str = field(default="")

    def ids_of(self, bucket: int) -> pa.ChunkedArray | None:
        """Return the ids of a bucket, or None where they are not known; buckets must be asked for in their order."""
        number, place = divmod(bucket, BUCKETS_PER_LISTING)
        while self._number < min(number, len(self.plan.listing_bytes) - 1):
            self._open_next()
        if self._number != number or self._ids is None:
            return None
        return self._ids.slice(place * self.plan.bucket_size, self.plan.bucket_size)

    def finish(self) -> None:
        """Check the files that no bucket was asked of."""
        while self._number < len(self.plan.listing_bytes) - 1:
            self._open_next()

    def _open_next(self) -> None:
        self._number += 1
        self._ids = None
        name = self.plan.folder.listing(self._number)
        if name not in self.files:
            self.findings.add(name, "missing")
            return
        size_bytes = self.files[name].size_bytes
        self.findings.compare(name, "bytes", size_bytes, self.plan.listing_bytes[self._number])
        try:
            with self.storage.open_reader(name, size_bytes) as source, pq.ParquetFile(source) as file:
                ids = file.read(columns=["image_id"])["image_id"]
                groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        except DAMAGED as error:
            self.findings.unreadable(name, error)
            return
        self._check(name, ids, groups)

    def _check(self, name: str, ids: pa.ChunkedArray, groups: list[int]) -> None:
        first = self._number * BUCKETS_PER_LISTING
        expected = [self.plan.rows_of(n) for n in range(first, min(first + BUCKETS_PER_LISTING, self.plan.buckets))]
        if groups != expected:
            self.findings.add(
                name,
                f"expected {len(expected):,} buckets of {sum(expected):,} images, "
                f"received {len(groups):,} of {sum(groups):,}",
            )
            return
        if not is_ascending(ids) or ids[0].as_py() <= self._last_id:
            self.findings.add(name, "its image ids are not sorted, or not distinct")
        self._last_id, self._ids = ids[-1].as_py() or "", ids
