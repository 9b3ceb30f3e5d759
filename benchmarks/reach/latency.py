"""S3 in and out over a slow line, against the local disk."""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import pictures
from benchmarks.reach.figure import Figure
from benchmarks.reach.object_store import object_store, reached_at, upload
from benchmarks.reach.slow_line import slow_line
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import run
from sparkcore.engine.session import start_session
from sparkcore.storage.opening import open_storage

_AT_LEAST = 0.9
_WARM_UP = 150
_PROBES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--photos", type=Path, help="a folder (default: variants of the samples)")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--delay-ms", type=float, default=50.0)
    parser.add_argument("--model", default="mobilenet_v2", help="with random weights")


@dataclass(frozen=True, slots=True)
class _Jobs:
    """What the jobs of a measurement share; `bucket` is the URI of the bucket, `images` of the local copies."""

    folder: Path
    bucket: str
    images: Path
    model: str
    count: int

    def local(self, name: str) -> float:
        """Return images/s from the local disk into a store on it."""
        store = self.folder / f"store-{name}"
        rate = self._rate(str(self.images), EngineConfig(store=str(store)))
        shutil.rmtree(store)
        return rate

    def remote(self, name: str) -> float:
        """Return images/s from the bucket into a store in it."""
        state = self.folder / f"state-{name}"
        return self._rate(f"{self.bucket}/in", EngineConfig(store=f"{self.bucket}/store-{name}", state=state))

    def warm_up(self) -> None:
        """Load the model in every worker, and open the connections."""
        config = RunConfig(f"{self.bucket}/in", self.model, "random", sample=_WARM_UP)
        run(config, EngineConfig(store=f"{self.bucket}/warm", state=self.folder / "warm"))

    def _rate(self, images: str, engine: EngineConfig) -> float:
        started = time.perf_counter()
        manifest = run(RunConfig(images, self.model, "random"), engine).manifest
        wall_s = time.perf_counter() - started
        if manifest.counts["computed"] != self.count or manifest.counts["errors"]:
            raise RuntimeError(f"Expected {self.count} images without an error, received {manifest.counts}.")
        return self.count / wall_s


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the ratio of the two speeds, the median over alternating rounds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sparkcore-reach-")))
        sources = pictures.source_pictures(options.photos, folder / "sources", 300)
        images = pictures.repeated(sources, folder / "images", options.count)
        address, bucket = stack.enter_context(object_store(folder))
        upload(images, f"{bucket}/in")
        slow = stack.enter_context(slow_line(address, options.delay_ms))
        stack.enter_context(reached_at(slow))
        request_ms = _request_ms(bucket)
        spark = start_session(EngineConfig(store=str(folder / "session")))
        stack.callback(spark.stop)
        jobs = _Jobs(folder, bucket, images, options.model, options.count)
        jobs.warm_up()
        pairs = [_round(jobs, number) for number in range(options.rounds)]
    local, remote = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    yield Figure(
        "S3 with latency against local disk", statistics.median(far / near for near, far in pairs), "times",
        f"{remote:.1f} and {local:.1f} images/s, {options.count:,} images, {options.model}, {options.rounds} rounds, "
        f"{options.delay_ms:g} ms added to a request (one takes {request_ms:.0f} ms); S3 server and line on the same "
        "cores",
        at_least=_AT_LEAST,
    )  # fmt: skip


def _round(jobs: _Jobs, number: int) -> tuple[float, float]:
    """Return images/s local and remote; who goes first alternates."""
    if number % 2:
        return jobs.local(str(number)), jobs.remote(str(number))
    remote = jobs.remote(str(number))
    return jobs.local(str(number)), remote


def _request_ms(bucket: str) -> float:
    """Return how long one request takes."""
    storage, durations_ms = open_storage(bucket), []
    storage.write("probe", b"1")
    for _ in range(_PROBES):
        started = time.perf_counter()
        storage.read("probe")
        durations_ms.append(1000 * (time.perf_counter() - started))
    return statistics.median(durations_ms)
