"""People at work: sessions that browse while runs are submitted, cancelled, repeated and deleted.

    python -m benchmarks.load [--minutes 10] [--sessions 20]

Reports how quick the pages are, what went wrong, and how the memory of each process grows.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dashboard import Server, serve
from benchmarks.processes import memory_mb, process_name, tree
from benchmarks.synthetic import make_store
from benchmarks.tabs import Tab
from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.errors import RunNotFoundError
from sparkcore.runs.jobs import Job
from sparkcore.runs.mapped import forget
from sparkcore.runs.store import RunStore
from sparkcore.samples import copy_samples

ROWS = (60, 600)
KEPT_RUNS = 10
PARTS = ("server", "engine", "JVM", "workers")
_EVERY_S = 2.0
_JOB_LIMIT_S = 120.0
QUERIES: dict[str, tuple[dict[str, str], ...]] = {
    "gallery": ({}, {"sort": "random", "seed": "3"}, {"label": "class_001"}, {"page": "3", "per": "48"}),
    "labels": ({}, {"top": "50"}),
    "image": ({}, {"sort": "name-asc"}),
    "review": ({}, {"queue": "unsure"}),
    "evaluate": ({}, {"score": "0.5"}),
    "scores": ({}, {"split": "label"}),
    "compare": ({},),
    "problems": ({},),
    "duplicates": ({},),
    "run": ({},),
    "runs": ({},),
}


@dataclass(frozen=True, slots=True)
class Load:
    """How many sessions for how long, and what is classified meanwhile."""

    engine: EngineConfig
    request: RunConfig
    seconds: float
    sessions: int = 20
    pause_s: float = 1.0


@dataclass(slots=True)
class Found:
    """What happened: seconds of pages, ends of jobs, errors, and (time, MB) of each process."""

    pages_s: list[float] = field(default_factory=list)
    jobs: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {part: [] for part in PARTS})

    def growth_mb(self, part: str) -> tuple[float, float]:
        """Return the growth of a process in MB for an hour and for 100 jobs, once it is warm."""
        samples = np.array(self.memory[part])
        warm = samples[samples[:, 0] >= samples[-1, 0] / 3]
        slope = float(np.polyfit(warm[:, 0], warm[:, 1], 1)[0])
        return 3600 * slope, slope * float(np.ptp(samples[:, 0])) / max(self.jobs.total(), 1) * 100

    def later_mb(self, part: str) -> tuple[float, float]:
        """Return the median memory of a process in the second and in the last third of the time."""
        values = np.array(self.memory[part])[:, 1]
        third = len(values) // 3
        return float(np.median(values[third : 2 * third])), float(np.median(values[2 * third :]))

    def summary(self) -> dict[str, Any]:
        """Return the figures."""
        pages = sorted(self.pages_s)
        found: dict[str, Any] = {
            "pages": len(pages),
            "page_median_ms": round(1000 * statistics.median(pages)),
            "page_p95_ms": round(1000 * pages[int(0.95 * len(pages))]),
            "jobs": dict(self.jobs),
            "errors": self.errors[:10],
        }
        for part in PARTS:
            hour, hundred = self.growth_mb(part)
            found[part] = {"mb": [round(one) for one in self.later_mb(part)], "mb_per_hour": round(hour, 1),
                           "mb_per_100_jobs": round(hundred, 2)}  # fmt: skip
        return found


@dataclass(frozen=True, slots=True)
class _Scene:
    """A server over a store, and what everybody finds there until it is over."""

    load: Load
    store: RunStore
    server: Server
    runs: tuple[str, ...]
    found: Found
    over: threading.Event = field(default_factory=threading.Event)

    def browse(self, number: int) -> None:
        """Open one page after the other, now and then in a new session."""
        chance = random.Random(number)
        while not self.over.is_set():
            with Tab(self.server.port) as tab:
                for _ in range(chance.randrange(3, 12)):
                    page = chance.choice(list(QUERIES))
                    seen = tab.open(page, run=chance.choice(self.runs), **chance.choice(QUERIES[page]))
                    self.found.pages_s.append(seen.seconds)
                    self.found.errors += seen.errors
                    if self.over.wait(chance.uniform(0, 2 * self.load.pause_s)):
                        return
                    if tab.refreshed:
                        self.found.errors += tab.refresh().errors

    def order(self) -> None:
        """Submit one run after the other: every third is cancelled, and every third submitted again."""
        chance = random.Random(-1)
        for number in count():
            if self.over.is_set():
                return
            is_cancelled = number % 3 == 1
            request = RunConfig.from_dict({**self.load.request.to_dict(), "seed": number})
            job = client.submit(request, self.load.engine)
            if is_cancelled:
                self.over.wait(chance.uniform(0, 1))
                client.cancel(job.job_id, self.load.engine)
            self._await(job, ("complete", "cancelled") if is_cancelled else ("complete",))
            if number % 3 == 2:
                self._await(client.submit(request, self.load.engine), ("cached",))
            self._delete_old()

    def watch(self) -> None:
        """Measure memory until the time is over."""
        start = time.monotonic()
        while (now := time.monotonic() - start) < self.load.seconds:
            for part, value in _memory(self.server, client.engine_pid(self.load.engine)).items():
                self.found.memory[part].append((now, value))
            time.sleep(_EVERY_S)

    def guarded(self, work: Callable[[], None]) -> None:
        """Do some work; its exceptions are errors that were found."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 (it is what this looks for)
            self.found.errors.append(repr(error))

    def _await(self, job: Job, expected: tuple[str, ...]) -> None:
        end = time.monotonic() + _JOB_LIMIT_S
        while job.active and time.monotonic() < end:
            time.sleep(0.1)
            job = client.status(job.job_id, self.load.engine)
        self.found.jobs[job.state] += 1
        if job.state not in expected:
            self.found.errors.append(f"A job is {job.state}: {job.message}")

    def _delete_old(self) -> None:
        """Delete what was cancelled, and all but the newest runs, as people do: so the store stays as it is."""
        others = [run.run_id for run in self.store.runs() if run.run_id not in self.runs]
        for run_id in [*self.store.unfinished(), *others[KEPT_RUNS:]]:
            with suppress(RunNotFoundError):
                self.store.delete(run_id)
                forget(self.store, run_id)


def measure(load: Load) -> Found:
    """Let people work on a store for a while; the engine is the caller's to stop."""
    store = RunStore(load.engine.store, load.engine.state)
    runs = tuple(make_store(store.uri, dict.fromkeys(ROWS, 64)).values())
    with serve(store.uri) as server:
        scene = _Scene(load, store, server, runs, Found())
        client.start_engine(load.engine)
        work = [scene.order, *(partial(scene.browse, number) for number in range(load.sessions))]
        threads = [threading.Thread(target=scene.guarded, args=(one,)) for one in work]
        for thread in threads:
            thread.start()
        try:
            scene.watch()
        finally:
            scene.over.set()
            for thread in threads:
                thread.join()
    return scene.found


def _memory(server: Server, engine: int | None) -> dict[str, float]:
    if engine is None:
        return {"server": memory_mb(server.pid)}
    below = tree({engine}) - {engine}
    java = {pid for pid in below if process_name(pid) == "java"}
    workers = {pid for pid in below - java if process_name(pid).startswith("python")}
    parts = {"server": {server.pid}, "engine": {engine}, "JVM": java, "workers": workers}
    return {part: sum(map(memory_mb, pids)) for part, pids in parts.items()}


def main() -> None:
    """Measure with the built-in samples and model, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sessions", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = EngineConfig(store=f"{folder}/store")
        copy_samples(Path(folder, "samples"))
        request = RunConfig(images=f"{folder}/samples", model="efficientnet_lite0", sample=24)
        try:
            found = measure(Load(engine, request, 60 * options.minutes, options.sessions))
        finally:
            client.stop_engine(engine)
            while client.engine_pid(engine) is not None:
                time.sleep(0.1)
    print(json.dumps(found.summary(), indent=2))


if __name__ == "__main__":
    main()
