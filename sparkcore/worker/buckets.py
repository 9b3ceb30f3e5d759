"""A task: compute buckets one after the other, each into a part file of its own, and commit each with a receipt.

Reading, batching and predicting run across the borders of buckets. A bucket is uploaded and committed in the
background, while the next one is computed.
"""

from __future__ import annotations

import os
import platform
import time
from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.errors import EngineError
from sparkcore.runs.listing_files import BucketReader
from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import Receipt
from sparkcore.schema import STATUS_ERROR, STATUS_EXCLUDED, STATUS_OK, result_schema
from sparkcore.storage.interface import Storage
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.takeover import Donors
from sparkcore.worker.task import LISTED_SIZE, WorkerTask
from sparkcore.worker.writer import PartWriter

_INPUT_ROWS = 64
_COUNTED = {STATUS_OK: "ok", STATUS_ERROR: "errors", STATUS_EXCLUDED: "excluded"}


@dataclass(frozen=True, slots=True)
class BucketTask:
    """Hold what a task needs beside the numbers of its buckets; it is pickled with Spark's tasks.

    `reuse_errors` copies rows of unreadable images from donors. `input_root` is a local path that this worker must
    see, None where it need not be checked. `stop` is the path of a file that stops the task when it exists, None
    where driver and workers share no disk.
    """

    worker: WorkerTask
    store: Storage
    plan: Plan
    reuse_errors: bool = True
    input_root: str | None = None
    stop: str | None = None

    @property
    def is_stopped(self) -> bool:
        """Tell whether the task is to stop."""
        return self.stop is not None and os.path.exists(self.stop)


def compute_buckets(buckets: Iterable[int], task: BucketTask) -> None:
    """Compute and commit the buckets that have no receipt yet; stops between two batches.

    Raises EngineError where this worker cannot see the images, StorageError where the store fails.
    """
    check_root(task.input_root)
    opened: deque[_Bucket] = deque()
    inputs = _inputs(buckets, task, opened)
    try:
        with closing(_Commits(task)) as commits, closing(classify_batches(inputs, task.worker)) as batches:
            for batch in batches:
                if task.is_stopped:
                    return
                _hand_out(batch, opened, commits)
            while opened and not task.is_stopped:
                commits.add(opened.popleft())
    finally:
        if opened:
            opened[0].abandon()


def check_root(path: str | None) -> None:
    """Raise EngineError where this machine does not see a local path."""
    if path is not None and not os.path.exists(path):
        raise EngineError(
            f"Expected every executor to see {path}, but {platform.node()} does not. "
            "Use a shared folder that is mounted everywhere at the same path, or an object store."
        )


def _inputs(buckets: Iterable[int], task: BucketTask, opened: deque[_Bucket]) -> Iterator[pa.RecordBatch]:
    """Yield the files that have to be read, and note each bucket when its first file is asked for."""
    reader = BucketReader(task.store, task.plan)
    config = task.worker.config
    donors = Donors(task.store, task.plan.donors, config, errors=task.reuse_errors)
    for number in buckets:
        if task.is_stopped:
            return
        if _is_committed(number, task):
            continue
        listing = reader.read(number)
        reused = donors.rows_for(listing)
        fresh = listing
        if reused.num_rows:
            fresh = listing.filter(pc.invert(pc.is_in(listing["image_id"], reused["image_id"].combine_chunks())))
        opened.append(_Bucket(number, listing["image_id"], fresh.num_rows, reused, task))
        fresh = fresh.append_column(LISTED_SIZE, fresh["size_bytes"]).drop_columns("image_id")
        yield from fresh.to_batches(_INPUT_ROWS)


def _is_committed(bucket: int, task: BucketTask) -> bool:
    try:
        task.store.stat(task.plan.folder.receipt(bucket))
    except FileNotFoundError:
        return False
    return True


def _hand_out(batch: pa.RecordBatch, opened: deque[_Bucket], commits: _Commits) -> None:
    """Give the rows of a batch to the buckets that they belong to; finished buckets are committed."""
    while batch.num_rows:
        while not opened[0].left:  # every row was copied
            commits.add(opened.popleft())
        rows = batch.slice(0, opened[0].left)
        opened[0].add(rows)
        batch = batch.slice(rows.num_rows)
        if not opened[0].left:
            commits.add(opened.popleft())


@dataclass(slots=True)
class _Bucket:
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
            self.counts[_COUNTED[entry["values"]]] += entry["counts"]
        for entry in pc.value_counts(table["error_type"].drop_null()).to_pylist():
            self.error_types[entry["values"]] += entry["counts"]
        for batch in table.to_batches():
            self._opened().write(batch)

    def _opened(self) -> PartWriter:
        if self.writer is None:
            schema = result_schema(self.task.worker.config.keep)
            self.writer = PartWriter(self.task.store, self.task.plan.folder.new_part(self.number), schema)
        return self.writer


class _Commits:
    """Commit buckets in the background, one at a time."""

    def __init__(self, task: BucketTask) -> None:
        self._task = task
        self._pool = ThreadPoolExecutor(1, "commit")
        self._last: Future[None] | None = None

    def add(self, bucket: _Bucket) -> None:
        """Commit a bucket, after the one before; raises what that one's commit raised."""
        self._wait()
        self._last = self._pool.submit(self._commit, bucket)

    def close(self) -> None:
        """Wait for the last commit."""
        try:
            self._wait()
        finally:
            self._pool.shutdown()

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _commit(self, bucket: _Bucket) -> None:
        receipt = bucket.finish()
        if not self._task.store.write_new(self._task.plan.folder.receipt(bucket.number), receipt.to_bytes()):
            self._task.store.delete(receipt.part)  # another attempt was first


def _spent(costs: pa.StructArray) -> dict[str, float]:
    """Return the sum of each kind of seconds; a slice of a struct array needs flatten to be one."""
    columns = zip(costs.type, costs.flatten(), strict=True)
    return {kind.name: float(pc.sum(values).as_py() or 0.0) for kind, values in columns}
