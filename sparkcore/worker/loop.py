"""The worker loop: record batches of images in, record batches of result rows out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.models.predictor import Predictor, load_predictor
from sparkcore.worker.careful import preparation
from sparkcore.worker.features import Predicted, predicted
from sparkcore.worker.image import Prepared, Source
from sparkcore.worker.opening import read_object, unopened
from sparkcore.worker.rows import TIMINGS, classified_batch
from sparkcore.worker.task import LISTED_SIZE, PAYLOADS, WorkerTask

T = TypeVar("T")

# The queue between the decoding threads and the model: long enough to keep the model busy, bounded for large files.
_MAX_WAITING_BYTES = 64 << 20
_READS_AT_ONCE = 32  # of an object store: the latency of one read is many times that of a local disk


def classify_batches(batches: Iterable[pa.RecordBatch], task: WorkerTask) -> Generator[pa.RecordBatch]:
    """Yield the result rows of every image, in the order of the input.

    An input batch has `origin` and either `content` (the file's bytes; null: the worker opens the file) or `image`
    (Spark's image struct). Its other columns are passed through. Objects of `task.storage` are read ahead.
    """
    clock = _Clock()
    predictor = _LazyPredictor(task, clock)
    with _pools(task) as pools:
        for group in _groups(_prepared(batches, task, pools, clock), task.batch_size):
            pixels = [row.pixels for row in group if row.pixels is not None]
            yield classified_batch(group, predictor.predict(pixels), task, clock.take())


def prepared_images(batches: Iterable[pa.RecordBatch], task: WorkerTask) -> Generator[Prepared]:
    """Yield every image as the model would get it, in the order of the input, which is that of `classify_batches`."""
    with _pools(task) as pools:
        yield from _prepared(batches, task, pools, _Clock())


@dataclass(slots=True)
class _LazyPredictor:
    """Load the model for the first image that needs it: the first batch is decoded meanwhile."""

    task: WorkerTask
    clock: _Clock
    loaded: Predictor | None = None

    def predict(self, pixels: list[np.ndarray]) -> Predicted | None:
        if not pixels:
            return None
        if self.loaded is None:
            self.loaded = self.clock.timed("load_s", partial(load_predictor, self.task.model, self.task.threads))
        outputs = self.clock.timed("predict_s", partial(self.loaded.compute, np.stack(pixels)))
        return predicted(outputs, self.loaded.head, self.task.config.top_k)


@dataclass(frozen=True, slots=True)
class _Pools:
    """Threads that decode, which call `prepare`, and threads that wait for an object store; nobody else uses them."""

    decoders: ThreadPoolExecutor
    readers: ThreadPoolExecutor
    prepare: Callable[[Source], Prepared]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An image on its way to the model; `size_bytes` is what it holds in memory until then."""

    size_bytes: int
    reading: Future[bytes] | None
    prepared: Future[Prepared]


@contextmanager
def _pool(threads: int, name: str) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(threads, name)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _pools(task: WorkerTask) -> Iterator[_Pools]:
    with (
        _pool(task.threads, "decode") as decoders,
        _pool(_READS_AT_ONCE, "read") as readers,
        preparation(task) as prepare,
    ):
        yield _Pools(decoders, readers, prepare)


def _prepared(batches: Iterable[pa.RecordBatch], task: WorkerTask, pools: _Pools, clock: _Clock) -> Iterator[Prepared]:
    """Read and decode ahead: the pools work on the next batch while the model predicts."""
    waiting: deque[_Waiting] = deque()
    waiting_bytes = 0
    length = 2 * task.batch_size + (_READS_AT_ONCE if task.storage else 0)
    sources = _sources(batches)
    exhausted = False
    while True:
        while not exhausted and waiting_bytes < _MAX_WAITING_BYTES and len(waiting) < length:
            source = clock.timed("read_s", lambda: next(sources, None))
            if source is None:
                exhausted = True
                break
            waiting.append(_submit(source, task, pools))
            waiting_bytes += waiting[-1].size_bytes
        if not waiting:
            return
        first = waiting.popleft()
        if first.reading is not None:
            clock.timed("read_s", partial(wait, [first.reading]))
        prepared = first.prepared.result()
        waiting_bytes -= first.size_bytes
        yield prepared


def _submit(source: Source, task: WorkerTask, pools: _Pools) -> _Waiting:
    size_bytes = source.size_bytes
    unreadable = source.listed_size_bytes is not None and unopened(source.origin, source.listed_size_bytes)
    if source.content is None and task.storage is not None and not unreadable:
        source = replace(source, reading=pools.readers.submit(read_object, task.storage, source.origin))
    elif source.content is None:
        size_bytes = 0  # the decoding thread opens the file and lets go of it
    return _Waiting(size_bytes, source.reading, pools.decoders.submit(pools.prepare, source))


def _sources(batches: Iterable[pa.RecordBatch]) -> Iterator[Source]:
    for batch in batches:
        payload = next((name for name in PAYLOADS.values() if name in batch.schema.names), None)
        own = {*PAYLOADS.values(), LISTED_SIZE}
        others = batch.select([name for name in batch.schema.names if name not in own])
        contents = batch[payload] if payload else pa.nulls(batch.num_rows)
        listed = batch[LISTED_SIZE].to_pylist() if LISTED_SIZE in batch.schema.names else [None] * batch.num_rows
        sizes = _sizes(contents)
        for row, origin in enumerate(batch["origin"].to_pylist()):
            content = contents[row] if contents[row].is_valid else None
            yield Source(origin, content, listed[row] or sizes[row], others, row, listed[row])


def _sizes(contents: pa.Array) -> list[int]:
    data = contents.field("data") if pa.types.is_struct(contents.type) else contents
    if not pa.types.is_binary(data.type):
        return [0] * len(contents)
    return [size or 0 for size in pc.binary_length(data).to_pylist()]


def _groups(rows: Iterator[Prepared], batch_size: int) -> Iterator[list[Prepared]]:
    """Yield groups of consecutive rows with at most `batch_size` images for the model."""
    group: list[Prepared] = []
    images = 0
    for row in rows:
        group.append(row)
        images += row.pixels is not None
        if images == batch_size or len(group) == 4 * batch_size:
            yield group
            group, images = [], 0
    if group:
        yield group


class _Clock:
    """Sum the worker's seconds by phase."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(TIMINGS, 0.0)
        self._taken = time.perf_counter()

    def timed(self, name: str, call: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return call()
        finally:
            self._seconds[name] += time.perf_counter() - started

    def take(self) -> dict[str, float]:
        """Return the seconds since the last call."""
        now = time.perf_counter()
        seconds = {**self._seconds, "work_s": now - self._taken}
        self._seconds, self._taken = dict.fromkeys(TIMINGS, 0.0), now
        return seconds
