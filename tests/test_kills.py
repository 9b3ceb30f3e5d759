"""Processes of an engine and of the dashboard are killed at random moments: the job ends, with the same rows."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run
from sparkcore.schema import result_schema
from tests.browser.conftest import Server
from tests.cluster.drivers import descendants, forked_workers, kill, named, running
from tests.cluster.faults import write_faults
from tests.conftest import end_engine, wait_until, write_colors

IMAGES = 32
SLOW_S = 0.1
SEED = 20_260_101
JVM = "org.apache.spark.deploy.SparkSubmit"
VICTIMS = ("worker", "server", "engine", "JVM")


@dataclass(slots=True)
class Scene:
    """A store with its engine, a dashboard on it, and the request that is carried out again and again."""

    engine: EngineConfig
    request: RunConfig
    server: Server
    random: random.Random

    @property
    def store(self) -> RunStore:
        """The store."""
        return self.server.store

    def rows(self, victim: str | None) -> list[dict[str, object]]:
        """Carry out the request while `victim` is killed, and return the rows of the run, which is deleted."""
        job = client.submit(self.request, self.engine)
        if victim is not None:
            self._strike(victim, job.job_id)
        wait_until(lambda: self._has_ended(job.job_id), 240)
        ended = client.status(job.job_id, self.engine)
        assert ended.state in ("complete", "cached"), ended.message
        assert [one.job_id for one in client.jobs(self.engine) if one.active] == []
        assert [run.run_id for run in self.store.runs()] == [ended.run_id]
        assert self.store.unfinished() == []
        assert verify_run(self.store.storage, str(ended.run_id)).problems == ()
        rows = read_parts(self.store, str(ended.run_id), result_schema().names).sort_by("image_id").to_pylist()
        self.store.delete(str(ended.run_id))
        return rows

    def _has_ended(self, job_id: str) -> bool:
        client.start_engine(self.engine)  # what a page does where it finds none
        return not client.status(job_id, self.engine).active

    def _strike(self, victim: str, job_id: str) -> None:
        """Wait until the job runs, and then for a random moment; kill the victim."""
        wait_until(lambda: client.status(job_id, self.engine).state != "queued")
        time.sleep(self.random.uniform(0, 1.2 * SLOW_S * IMAGES))
        pid = client.engine_pid(self.engine)
        if victim == "server":
            assert self.server.process is not None
            self.server.process.kill()
            self.server.process.wait()
            self.server.start()
        elif pid is not None:
            family = {pid, *descendants(pid)}
            victims = {"engine": [pid], "JVM": named(JVM, pid), "worker": forked_workers(pid)[:1]}
            for one in victims[victim]:
                kill(one)
            if victim == "engine":
                wait_until(lambda: not family & running())  # what it has started ends by itself


@pytest.fixture
def scene(tmp_path: Path, request_for: Callable[..., RunConfig], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    faults = write_faults(tmp_path / "faults", SLOW_S)
    # Child processes import the first module of this name only; the guard of the network is another one.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(faults.folder), os.environ["PYTHONPATH"]]))
    write_colors(tmp_path / "in", IMAGES)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=4)
    server = Server(RunStore(engine.store), tmp_path)
    server.start()
    yield Scene(engine, request_for(tmp_path / "in"), server, random.Random(SEED))
    server.stop()
    end_engine(engine)


def _kill_often(scene: Scene, kills: int) -> None:
    expected = scene.rows(None)
    assert len(expected) == IMAGES
    for number in range(kills):
        victim = VICTIMS[number % len(VICTIMS)]
        assert scene.rows(victim) == expected, f"after the kill of a {victim}, number {number}"


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_ten_kills(scene: Scene) -> None:
    _kill_often(scene, 10)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_fifty_kills(scene: Scene) -> None:
    scene.random.seed(SEED + 1)
    _kill_often(scene, 50)
