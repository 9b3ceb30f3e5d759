"""A bucket while it is computed: rows go to its part file, counts and seconds to its receipt."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import ROW_KINDS, Receipt
from sparkcore.schema import result_schema
from sparkcore.storage.interface import Storage
from sparkcore.worker.opening import LocalImages
from sparkcore.worker.task import WorkerTask
from sparkcore.worker.writer import PartWriter


@dataclass(frozen=True, slots=True)
class BucketTask:
    """Hold what a task needs beside the numbers of its buckets; it is pickled with Spark's tasks.

    `reuse_errors` copies rows of unreadable images from donors. `images` is what this worker must see of local images,
    None where that need not be checked. `stop` is the path of a file that stops the task when it exists, None where
    driver and workers share no disk.
    """

    worker: WorkerTask
    store: Storage
    plan: Plan
    reuse_errors: bool = True
    images: LocalImages | None = None
    stop: str | None = None

    @property
    def is_stopped(self) -> bool:
        """Tell whether the task is to stop."""
        return self.stop is not None and os.path.exists(self.stop)

    def go_on(self) -> None:
        """Let tasks that start from now on do their work."""
        if self.stop is not None and os.path.exists(self.stop):
            os.remove(self.stop)


@dataclass(slots=True)
class OpenBucket:
    """A bucket in progress: `left` rows are still to be computed, `reused` still to be merged in."""

    number: int
    ids: pa.ChunkedArray
    left: int
    reused: pa.Table
    task: BucketTask
    writer: PartWriter | None = None
    counts: Counter[str] = field(default_factory=Counter)
    error_types: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, rows: pa.RecordBatch) -> None:
        """Add computed rows, preceded by the copied ones that come before them."""
        self.left -= rows.num_rows
        for name, spent_s in _spent(rows["cost"]).items():
            self.seconds[name] += spent_s
        schema = result_schema(self.task.worker.config.keep)
        table = pa.Table.from_arrays([rows[f.name].cast(f.type) for f in schema], schema=schema)
        copied = bisect_right(self.reused["image_id"].to_pylist(), rows["image_id"][-1].as_py()) if self.reused else 0
        if copied:
            table = pa.concat_tables([table, self._take_reused(copied)]).sort_by("image_id")
        self._write(table)

    def finish(self) -> Receipt:
        """Complete the part file and return its receipt."""
        self._write(self._take_reused(self.reused.num_rows))
        started = time.perf_counter()
        part = self._opened().finish()
        self.seconds["write_s"] += time.perf_counter() - started
        return Receipt(
            bucket=self.number,
            part=part.name,
            rows=len(self.ids),
            size_bytes=part.size_bytes,
            sha256=part.sha256,
            first_id=self.ids[0].as_py(),
            last_id=self.ids[-1].as_py(),
            counts=dict(self.counts),
            error_types=dict(self.error_types),
            seconds={name.removesuffix("_s"): round(spent_s, 4) for name, spent_s in self.seconds.items()},
        )

    def abandon(self) -> None:
        """Leave nothing in the store."""
        if self.writer is not None:
            self.writer.abandon()

    def _take_reused(self, count: int) -> pa.Table:
        taken, self.reused = self.reused.slice(0, count), self.reused.slice(count)
        self.counts["reused"] += count
        return taken

    def _write(self, table: pa.Table) -> None:
        for entry in pc.value_counts(table["status"]).to_pylist():
            self.counts[ROW_KINDS[entry["values"]]] += entry["counts"]
        for entry in pc.value_counts(table["error_type"].drop_null()).to_pylist():
            self.error_types[entry["values"]] += entry["counts"]
        for batch in table.to_batches():
            self._opened().write(batch)

    def _opened(self) -> PartWriter:
        if self.writer is None:
            schema = result_schema(self.task.worker.config.keep)
            self.writer = PartWriter(self.task.store, self.task.plan.folder.new_part(self.number), schema)
        return self.writer


def _spent(costs: pa.StructArray) -> dict[str, float]:
    """Return the sum of each kind of seconds; a slice of a struct array needs flatten to be one."""
    columns = zip(costs.type, costs.flatten(), strict=True)
    return {kind.name: float(pc.sum(values).as_py() or 0.0) for kind, values in columns}
