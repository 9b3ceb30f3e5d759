"""This project as users run it: the shell command in a new process, and jobs of a warm engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.processes import ROOT, Peak, watched
from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.runs.jobs import Job
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore

_POLL_S = 0.03


@dataclass(frozen=True, slots=True)
class Timed:
    """A finished run: seconds from the request to its end and to its first receipt, and its manifest."""

    wall_s: float
    first_image_s: float
    manifest: Manifest

    @property
    def rate(self) -> float:
        """Return images/s over the whole wall time."""
        return self.manifest.counts["images"] / self.wall_s


def command(config: RunConfig, store: Path) -> Timed:
    """Run the shell command in a new process on an empty store."""
    arguments = [config.images, "--model", config.model, "--store", str(store), "--reader", config.reader]
    arguments += ["--precision", config.precision, "--json"]
    arguments += ["--weights", config.weights] if config.weights else []
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "sparkcore", "run", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    first_s = _wait_for_part(store, process, started)
    output, errors = process.communicate()
    wall_s = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"sparkcore run failed:\n{errors.decode()[-2000:]}")
    return Timed(wall_s, first_s, RunStore(store).manifest(json.loads(output)["run_id"]))


def _wait_for_part(store: Path, process: subprocess.Popen[bytes], started: float) -> float:
    while process.poll() is None and not any(store.glob("runs/*/*/receipts/*/*.json")):
        time.sleep(_POLL_S)
    return time.perf_counter() - started


@dataclass(slots=True)
class WarmEngine:
    """An engine process with its own store."""

    engine: EngineConfig
    peak: Peak
    requests: int = field(default=0)

    def job(self, config: RunConfig) -> Timed:
        """Run a request for which the store has no reusable rows."""
        self.requests += 1
        # A different top_k is a different recipe, so no row of an earlier job is reused.
        return self.again(replace(config, top_k=self.requests + 1))

    def again(self, config: RunConfig) -> Timed:
        """Run a request unchanged; a finished run in the store answers it."""
        started = time.perf_counter()
        job = _finished(client.submit(config, self.engine), self.engine)
        wall_s = time.perf_counter() - started
        if not job.run_id:
            raise RuntimeError(f"The job failed: {job.message}")
        return Timed(wall_s, 0.0, RunStore(self.engine.store).manifest(job.run_id))


@contextmanager
def warm_engine(store: Path, *, watch_memory: bool = False) -> Iterator[WarmEngine]:
    """Run an engine process for the block. Watching memory slows it down, so do not measure speed with it."""
    engine = EngineConfig(store=str(store))
    client.start_engine(engine)
    while (pid := client.engine_pid(engine)) is None:
        time.sleep(_POLL_S)
    try:
        with watched({pid}) if watch_memory else nullcontext(Peak()) as peak:
            yield WarmEngine(engine, peak)
    finally:
        client.stop_engine(engine)
        while client.engine_pid(engine) is not None:
            time.sleep(_POLL_S)


def _finished(job: Job, engine: EngineConfig) -> Job:
    while (job := client.status(job.job_id, engine)).active:
        time.sleep(_POLL_S)
    return job
