"""Upper bounds of this machine: the model alone, decoding alone, and the worker loop without Spark.

A pipeline that decodes and predicts on the same cores cannot exceed 1 / (1 / inference + 1 / decoding).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.physical import multiply_adds, peak
from benchmarks.pictures import listed
from sparkcore.config import RunConfig
from sparkcore.engine.freezing import start_freezing
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.transforms import resize, to_array
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.predictor import Predictor
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import choose_runtime
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.task import WorkerTask

CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Work:
    """A workload and its minimum duration."""

    model: FrozenModel
    config: RunConfig
    batch_size: int
    seconds: float


def inference(work: Work) -> float:
    """Return images/s of the model on pixels in memory: one call on all cores or one per core, whichever is faster."""
    return max(_calls(work, [CORES]), _calls(work, [1] * CORES))


def _calls(work: Work, threads: list[int]) -> float:
    shape = (work.batch_size, work.model.height, work.model.width, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    predictors = [Predictor(work.model, count) for count in threads]
    for predictor in predictors:
        predictor.predict(pixels)

    def repeat(predictor: Predictor) -> float:
        return _rate(lambda: predictor.predict(pixels), work.batch_size, work.seconds)

    with ThreadPoolExecutor(len(threads)) as pool:
        return sum(pool.map(repeat, predictors))


def decoding(work: Work, contents: list[bytes]) -> float:
    """Return images/s of decoding and resizing bytes in memory, with one thread per core."""
    size = ImageSize(work.model.height, work.model.width)

    def prepare(content: bytes) -> Any:
        image = decode(content, target=size).image
        return to_array(resize(image, size, work.model.fit, work.config.interpolation))

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(prepare, contents[:CORES]))
        return _rate(lambda: list(pool.map(prepare, contents)), len(contents), work.seconds)


def worker_loops(work: Work, paths: list[Path]) -> float:
    """Return images/s of one worker loop per core: all work of a Spark worker, without Spark."""
    os.environ["OMP_NUM_THREADS"] = "1"  # as in Spark's workers: threads of NumPy would wait busily for each other
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(CORES)
    with context.Pool(CORES, initializer=_remember, initargs=(start,)) as pool:
        shares = [(work, paths[number::CORES]) for number in range(CORES)]
        spent = pool.map(_loop, shares, chunksize=1)
    return len(paths) / max(spent)


_barrier: Any = None


def _remember(barrier: Any) -> None:
    global _barrier  # noqa: PLW0603 (a pool takes a barrier only through its initializer)
    _barrier = barrier


def _loop(share: tuple[Work, list[Path]]) -> float:
    work, paths = share
    task = WorkerTask(work.config, work.model, work.batch_size, threads=1)
    batches = [
        pa.record_batch({"origin": [path.as_uri() for path in chunk], "content": [path.read_bytes() for path in chunk]})
        for chunk in (paths[i : i + 64] for i in range(0, len(paths), 64))
    ]
    for _ in classify_batches(batches[:1], task):
        pass
    _barrier.wait()
    started = time.perf_counter()
    for _ in classify_batches(batches, task):
        pass
    return time.perf_counter() - started


def _rate(call: Callable[[], Any], images: int, seconds: float) -> float:
    started, done = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        call()
        done += images
    return done / max(elapsed, 1e-9)


def main() -> None:
    """Measure the limits and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--name", required=True, help="name of a model in the registry")
    parser.add_argument("--weights")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--quantized", type=Path, help="the model in int8")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    config = RunConfig(images=str(options.images), model=options.name, weights=options.weights)
    model = _model(config, options.precision, options.quantized)
    work = Work(model, config, options.batch_size, options.seconds)
    paths = listed(options.images)
    figures = {"decoding": decoding(work, [path.read_bytes() for path in paths]), "inference": inference(work)}
    limit = 1 / sum(1 / rate for rate in figures.values())
    figures |= {"limit": limit, "worker_loops": worker_loops(work, paths)}
    print(json.dumps(figures | (_physical(work, figures["inference"]) if options.precision == "float32" else {})))


def _model(config: RunConfig, precision: str, quantized: Path | None) -> FrozenModel:
    computation = choose_runtime("float32" if quantized else precision)
    model = start_freezing(resolve_model(config), computation).result()
    return replace(model, path=quantized, digest=quantized.stem, precision=precision) if quantized else model


def _physical(work: Work, inference_rate: float) -> dict[str, float]:
    needed, possible = multiply_adds(work.model.path), peak()
    return {
        "multiply-adds an image, billions": needed / 1e9,
        "peak of the cores, billion multiply-adds/s": possible / 1e9,
        "share of the peak": inference_rate * needed / possible,
    }


if __name__ == "__main__":
    main()
