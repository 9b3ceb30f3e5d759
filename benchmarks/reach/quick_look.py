"""A quick look during a long run, against its time alone."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import pictures
from benchmarks.ours import WarmEngine, warm_engine
from benchmarks.reach.figure import Figure
from sparkcore import client
from sparkcore.config import RunConfig
from sparkcore.runs.jobs import Job

_AT_MOST = 3.0
_QUICK_IMAGES = 75
_POLL_S = 0.05
_LONG_TOP_K = 1  # the quick looks have others, so that no row is copied


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--photos", type=Path, help="a folder (default: variants of the samples)")
    parser.add_argument("--count", type=int, default=3000, help="images of the long run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="mobilenet_v2", help="with random weights")


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the ratio of the median times."""
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as name:
        folder = Path(name)
        sources = pictures.source_pictures(options.photos, folder / "sources", 300)
        few = pictures.repeated(sources, folder / "few", _QUICK_IMAGES)
        many = pictures.repeated(sources, folder / "many", options.count)
        look = RunConfig(str(few), options.model, "random")
        long = RunConfig(str(many), options.model, "random", top_k=_LONG_TOP_K)
        with warm_engine(folder / "store") as engine:
            for _ in range(2):
                engine.job(look)
            alone = [engine.job(look).wall_s for _ in range(options.rounds)]
            during = _during(engine, long, look, options.rounds)
    yield Figure(
        "quick look during a long run", statistics.median(during) / statistics.median(alone), "times",
        f"{statistics.median(during):.2f} s during ({min(during):.2f} to {max(during):.2f}), "
        f"{statistics.median(alone):.2f} s alone; {_QUICK_IMAGES} and {options.count:,} images, {options.model}, "
        f"warm engine, {options.rounds} rounds",
        at_most=_AT_MOST,
    )  # fmt: skip


def _during(engine: WarmEngine, long: RunConfig, look: RunConfig, rounds: int) -> list[float]:
    """Return the seconds of quick looks, each while the long run classifies."""
    job, seconds, done = client.submit(long, engine.engine), [], 0
    for _ in range(rounds):
        done = _wait_for_more(engine, job, done)
        seconds.append(engine.job(look).wall_s)
    _status(engine, job)
    client.cancel(job.job_id, engine.engine)
    return seconds


def _wait_for_more(engine: WarmEngine, job: Job, done: int) -> int:
    """Wait until the long run has classified more images; return how many."""
    while (now := _status(engine, job)).done <= done:
        time.sleep(_POLL_S)
    return now.done


def _status(engine: WarmEngine, job: Job) -> Job:
    now = client.status(job.job_id, engine.engine)
    if not now.active:
        raise RuntimeError(f"The long run ended too early ({now.state} {now.message}). Give it more images: --count.")
    return now
