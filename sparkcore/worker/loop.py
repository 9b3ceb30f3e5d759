"""The worker loop: record batches of images in, record batches of result rows out."""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.imaging.decode import ImageSize
from sparkcore.models.predictor import Predictor, load_predictor
from sparkcore.worker.image import Prepared, Source, prepare
from sparkcore.worker.rows import TIMINGS, classified_batch
from sparkcore.worker.task import PAYLOADS, WorkerTask

T = TypeVar("T")

# The queue between the decoding threads and the model: long enough to keep the model busy, bounded for large files.
_MAX_WAITING_BYTES = 64 << 20

_warmed_up: set[str] = set()  # digests of the models that this process has used


def classify_batches(batches: Iterable[pa.RecordBatch], task: WorkerTask) -> Iterator[pa.RecordBatch]:
    """Yield the result rows of every image, in the order of the input.

    An input batch has `origin` and either `content` (the file's bytes; null: the worker opens the local file) or
    `image` (Spark's image struct). Its other columns are passed through.
    """
    clock = _Clock()
    predictor = clock.timed("load_s", lambda: load_predictor(task.model, task.threads))
    with ThreadPoolExecutor(task.threads, "decode") as pool:
        for group in _groups(_prepared(batches, task, pool, clock), task.batch_size):
            pixels = [row.pixels for row in group if row.pixels is not None]
            probabilities = clock.timed("predict_s", partial(_predict, predictor, pixels))
            yield classified_batch(group, probabilities, task, clock.take())
    _freeze_garbage(task.model.digest)


def _freeze_garbage(model_digest: str) -> None:
    """Exempt what loading a model has created from garbage collection.

    Spark's daemon collects garbage after every task, which takes 0.1 s with TensorFlow's objects.
    """
    if model_digest not in _warmed_up:
        _warmed_up.add(model_digest)
        gc.collect()
        gc.freeze()


def _predict(predictor: Predictor, pixels: list[np.ndarray]) -> np.ndarray:
    return predictor.predict(np.stack(pixels)) if pixels else np.empty((0, 0), np.float32)


def _prepared(
    batches: Iterable[pa.RecordBatch], task: WorkerTask, pool: ThreadPoolExecutor, clock: _Clock
) -> Iterator[Prepared]:
    """Decode ahead: the pool works on the next batch while the model predicts."""
    size = ImageSize(task.model.height, task.model.width)
    waiting: deque[tuple[int, Future[Prepared]]] = deque()
    waiting_bytes = 0
    sources = _sources(batches)
    exhausted = False
    while True:
        while not exhausted and waiting_bytes < _MAX_WAITING_BYTES and len(waiting) < 2 * task.batch_size:
            source = clock.timed("read_s", lambda: next(sources, None))
            if source is None:
                exhausted = True
                break
            waiting.append((source.size_bytes, pool.submit(prepare, source, task.config, size, task.model.fit)))
            waiting_bytes += source.size_bytes
        if not waiting:
            return
        size_bytes, future = waiting.popleft()
        prepared = future.result()
        waiting_bytes -= size_bytes
        yield prepared


def _sources(batches: Iterable[pa.RecordBatch]) -> Iterator[Source]:
    for batch in batches:
        payload = next((name for name in PAYLOADS.values() if name in batch.schema.names), None)
        others = batch.select([name for name in batch.schema.names if name not in PAYLOADS.values()])
        contents = batch[payload] if payload else pa.nulls(batch.num_rows)
        sizes = _sizes(contents)
        for row, origin in enumerate(batch["origin"].to_pylist()):
            content = contents[row]
            yield Source(origin, content if content.is_valid else None, sizes[row], others, row)


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
