"""A task: compute buckets one after the other, each into a part file of its own, and commit each with a receipt.

Reading, batching and predicting run across the borders of buckets. A bucket is uploaded and committed in the
background, while the next one is computed.
"""

from __future__ import annotations

import platform
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import groupby, pairwise
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.errors import EngineError
from sparkcore.origins import object_key
from sparkcore.runs.listing_files import BucketReader
from sparkcore.storage.interface import Storage
from sparkcore.worker.bucket import BucketTask, OpenBucket
from sparkcore.worker.compaction import compact_small
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.takeover import Donors
from sparkcore.worker.task import LISTED_SIZE, PAYLOADS

_INPUT_ROWS = 64


def compute_buckets(buckets: Iterable[int], task: BucketTask, *, may_be_last: bool = True) -> None:
    """Compute and commit the buckets that have no receipt yet; stops between two batches.

    A task that `may_be_last` to end compacts a small run whose buckets are all committed. Raises EngineError where this
    worker cannot see the images or the store, StorageError where the store fails.
    """
    if task.images is not None:
        task.images.check()
    _compute(((bucket, ()) for bucket in buckets), task)
    if may_be_last:
        compact_small(task.store, task.plan)


def check_readable(task: BucketTask, images: Storage) -> None:
    """Raise StorageError unless this machine may read the images on an object store; it need not be allowed to list."""
    with closing(BucketReader(task.store, task.plan)) as reader:
        origin = reader.read(0)["origin"][0].as_py()
    with suppress(FileNotFoundError):  # gone since it was listed
        images.stat(object_key(origin, images.uri) or "")


def compute_contents(batches: Iterable[pa.RecordBatch], task: BucketTask) -> None:
    """Compute and commit buckets whose files Spark has read.

    `batches` have bucket, image_id and the picture, sorted by bucket and image_id. Listed files that are not there are
    opened here. Raises StorageError where the store fails.
    """
    runs = groupby(_split_by_bucket(batches), key=itemgetter(0))
    _compute(((bucket, (batch for _, batch in group)) for bucket, group in runs), task)
    compact_small(task.store, task.plan)


def _compute(buckets: Iterable[tuple[int, Iterable[pa.RecordBatch]]], task: BucketTask) -> None:
    opened: deque[OpenBucket] = deque()
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


def _inputs(
    buckets: Iterable[tuple[int, Iterable[pa.RecordBatch]]], task: BucketTask, opened: deque[OpenBucket]
) -> Iterator[pa.RecordBatch]:
    """Yield the files that have to be read, and note each bucket when its first file is asked for."""
    config = task.worker.config
    donors = Donors(task.store, task.plan.donors, config, errors=task.reuse_errors)
    with closing(BucketReader(task.store, task.plan)) as reader, ThreadPoolExecutor(1, "receipt") as thread:
        for number, contents in buckets:
            if task.is_stopped:
                return
            committed = thread.submit(task.store.exists, task.plan.folder.receipt(number))
            listing = _read_listing(reader, number, task)
            if committed.result():
                continue
            reused = donors.rows_for(listing)
            fresh = listing
            if reused.num_rows:
                fresh = listing.filter(pc.invert(pc.is_in(listing["image_id"], reused["image_id"].combine_chunks())))
            opened.append(OpenBucket(number, listing["image_id"], fresh.num_rows, reused, task))
            for piece in _with_contents(fresh, contents):
                yield from piece.append_column(LISTED_SIZE, piece["size_bytes"]).drop_columns("image_id").to_batches()


def _read_listing(reader: BucketReader, bucket: int, task: BucketTask) -> pa.Table:
    try:
        return reader.read(bucket)
    except FileNotFoundError:
        raise EngineError(
            f"{platform.node()} does not find the listing of run {task.plan.run_id} in {task.store.uri}. Use a store "
            "that the driver and all executors share; if somebody has deleted the run meanwhile, start it again."
        ) from None


def _split_by_bucket(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    for batch in batches:
        numbers = batch["bucket"].to_numpy()
        borders = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        for start, end in pairwise(borders):
            if end > start:
                yield int(numbers[start]), batch.slice(start, end - start).drop_columns("bucket")


def _with_contents(listing: pa.Table, contents: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Join listed files with what was read of them, piece by piece; both are sorted by image_id."""
    ids, done = listing["image_id"].to_pylist(), 0
    for batch in contents:
        end = bisect_right(ids, batch["image_id"][-1].as_py())
        piece, done = listing.slice(done, end - done), end
        places = pc.index_in(piece["image_id"], value_set=batch["image_id"])
        payload = next(name for name in PAYLOADS.values() if name in batch.schema.names)
        yield piece.append_column(payload, batch[payload].take(places.combine_chunks()))
    for start in range(done, len(ids), _INPUT_ROWS):
        yield listing.slice(start, _INPUT_ROWS)


def _hand_out(batch: pa.RecordBatch, opened: deque[OpenBucket], commits: _Commits) -> None:
    """Give the rows of a batch to the buckets that they belong to; finished buckets are committed."""
    while batch.num_rows:
        while not opened[0].left:  # every row was copied
            commits.add(opened.popleft())
        rows = batch.slice(0, opened[0].left)
        opened[0].add(rows)
        batch = batch.slice(rows.num_rows)
        if not opened[0].left:
            commits.add(opened.popleft())


class _Commits:
    """Commit buckets in the background, one at a time."""

    def __init__(self, task: BucketTask) -> None:
        self._task = task
        self._pool = ThreadPoolExecutor(1, "commit")
        self._last: Future[None] | None = None

    def add(self, bucket: OpenBucket) -> None:
        """Commit a bucket, after the one before; raises what that one's commit raised."""
        try:
            self._wait()
        except BaseException:
            bucket.abandon()
            raise
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

    def _commit(self, bucket: OpenBucket) -> None:
        receipt = bucket.finish()
        if not self._task.store.write_new(self._task.plan.folder.receipt(bucket.number), receipt.to_bytes()):
            self._task.store.delete(receipt.part)  # another attempt was first
