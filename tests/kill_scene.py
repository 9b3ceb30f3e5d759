"""A store with its engine and a dashboard, whose processes are killed while a request is carried out."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run
from sparkcore.schema import result_schema
from tests.browser.conftest import ROOT, Server
from tests.cluster.drivers import descendants, forked_workers, kill, named, running
from tests.cluster.faults import write_faults
from tests.conftest import wait_until

Rows = list[dict[str, Any]]
JVM = "org.apache.spark.deploy.SparkSubmit"
SLOW_S = 0.06  # each picture
MOMENTS_S = 2.0  # kills come within so many seconds
_LIMIT_S = 240
_LOOK_EVERY_S = 5.0  # for an engine: the one that was started last has not begun yet
_CLOCK = """
import os, time

now = time.time
time.time = lambda: now() - (3600 if os.path.exists({mark!r}) else 0)
"""


@dataclass(slots=True)
class Scene:
    """A store, its engine, a dashboard on it, and the request that is carried out again and again.

    `struck` is what was killed so far, `started` all processes that there were before a kill.
    """

    folder: Path
    engine: EngineConfig
    request: RunConfig
    server: Server
    random: random.Random
    struck: list[str] = field(default_factory=list)
    started: set[int] = field(default_factory=set)
    looked_at: float = 0.0

    @property
    def store(self) -> RunStore:
        """The store."""
        return self.server.store

    def rows(self, victims: Sequence[str] = ()) -> Rows:
        """Carry out the request while the victims are killed one after the other; return the rows of its run.

        The run is deleted. Each process that lived before a kill must have ended, unless the engine still has it.
        """
        job = client.submit(self.request, self.engine)
        for victim in victims:
            self.strike(victim, job.job_id)
        self.wait_for_end(job.job_id)
        ended = client.status(job.job_id, self.engine)
        assert ended.state in ("complete", "cached"), f"{victims}: {ended.message}"
        newest, *older = client.jobs(self.engine)
        assert (newest.job_id, [one.job_id for one in older if one.active]) == (job.job_id, [])
        wait_until(lambda: not self.orphans())
        return self.take_rows(str(ended.run_id))

    def take_rows(self, run_id: str) -> Rows:
        """Return the rows of the one finished run, and delete it."""
        assert [run.run_id for run in self.store.runs()] == [run_id]
        assert self.store.unfinished() == []
        assert verify_run(self.store.storage, run_id).problems == ()
        rows: Rows = read_parts(self.store, run_id, result_schema().names).sort_by("image_id").to_pylist()
        self.store.delete(run_id)
        return rows

    def strike(self, victim: str, job_id: str) -> None:
        """Wait for a random moment, and kill; the clock of all Python processes is set back instead."""
        if victim == "clock":
            (self.folder / "clock").touch()
            return
        if victim == "driver":
            self._kill_a_driver()
            return
        if victim != "engine":  # which may also be killed while it starts
            wait_until(lambda: self._looked(client.status(job_id, self.engine).state != "queued"))
        time.sleep(self.random.uniform(0, MOMENTS_S))
        pid = client.engine_pid(self.engine)
        self.started |= self._family()
        if victim == "server":
            assert self.server.process is not None
            self.server.process.kill()
            self.server.process.wait()
            self.server.start()
        elif pid is not None:
            victims = {"engine": [pid], "JVM": named(JVM, pid), "worker": forked_workers(pid)[:1]}
            for one in victims[victim]:
                kill(one)
            self.looked_at = 0.0
        self.struck.append(victim)

    def wait_for_end(self, job_id: str) -> None:
        """Wait until a job has ended; where there is no engine, start one, as a page does."""
        wait_until(lambda: self._looked(not client.status(job_id, self.engine).active), _LIMIT_S)

    def orphans(self) -> set[int]:
        """Return the processes that lived before a kill and are not the engine's."""
        return (self.started & running()) - self._family()

    def end(self) -> None:
        """End the dashboard and the engine; all that they have started must end, too."""
        self.server.stop()
        self.started |= self._family()
        client.stop_engine(self.engine)
        wait_until(lambda: not self.started & running())

    def _looked(self, condition: bool) -> bool:
        if not condition and time.monotonic() - self.looked_at > _LOOK_EVERY_S:
            self.looked_at = time.monotonic()
            client.start_engine(self.engine)
        return condition

    def _family(self) -> set[int]:
        pid = client.engine_pid(self.engine)
        return set() if pid is None else {pid, *descendants(pid)}

    def _kill_a_driver(self) -> None:
        """Let a driver with a state folder of its own share the run, and kill it."""
        words = ["--model", self.request.model, "--top-k", str(self.request.top_k), "--bucket-size", "4"]
        place = ["--store", self.store.uri, "--state", str(self.folder / "driver")]
        with subprocess.Popen(
            [sys.executable, "-m", "sparkcore", "run", self.request.images, *words, *place, "--json"],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as driver:  # fmt: skip
            time.sleep(self.random.uniform(0, 4 * MOMENTS_S))
            self.started |= {driver.pid, *descendants(driver.pid)}
            driver.kill()
        self.struck.append("driver")


@contextmanager
def scene_in(folder: Path, request: RunConfig, engine: EngineConfig, seed: int) -> Iterator[Scene]:
    """Start a dashboard; the engine comes with the first job, and its workers are slow.

    At the end, all that was started must end.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _environment(folder).items():
            patch.setenv(name, value)
        server = Server(RunStore(engine.store, engine.state), folder)
        server.start()
        scene = Scene(folder, engine, request, server, random.Random(seed))
        try:
            yield scene
        finally:
            scene.end()


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of processes that take long for a picture, and keep temporary files in this folder."""
    faults = write_faults(folder / "faults", SLOW_S)
    with (faults.folder / "sitecustomize.py").open("a") as module:
        module.write(_CLOCK.format(mark=str(folder / "clock")))
    (folder / "tmp").mkdir()
    # Child processes import the first module of this name only; the guard of the network is another one.
    path = os.pathsep.join([str(faults.folder), os.environ["PYTHONPATH"]])
    return {"PYTHONPATH": path, "SPARK_LOCAL_DIRS": str(folder / "tmp"), "TMPDIR": str(folder / "tmp")}
