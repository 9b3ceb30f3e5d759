"""Processes of a run are killed at random moments: what comes after has the same rows every time."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.drivers import Driver, Order, driver, kill, named
from tests.cluster.faults import Faults, write_faults
from tests.cluster.sixty import Rows, rows_of

LOCAL = Cluster("local[2]")
SLOW_S = 0.1
SEED = 20_240_229
_TRIES = 20


@dataclass(slots=True)
class Killer:
    """Kills something of a driver at a random moment of its life, which lasts about `life_s`."""

    random: random.Random
    life_s: float
    kills: int = 0

    def strike(self, run: Driver) -> str | None:
        """Wait for a random moment and kill; return what, None where the driver has ended before."""
        end = time.monotonic() + self.random.uniform(0, 1.1 * self.life_s)
        while time.monotonic() < end and run.process.poll() is None:
            time.sleep(0.02)
        victims = {"driver": [run.process.pid], "JVM": named("java", run.process.pid), "worker": run.python_workers()}
        victim = self.random.choice([name for name, pids in victims.items() if pids])
        if run.process.poll() is not None:
            return None
        self.kills += 1
        if victim == "driver":
            run.kill()
        else:
            kill(self.random.choice(victims[victim]))
        return victim


@pytest.fixture
def order(tmp_path: Path, sixty: Path, colors_model: Path) -> Order:
    return Order(str(sixty), colors_model, str(tmp_path / "store"), tmp_path / "state", ("--bucket-size", "5"))


@pytest.mark.cluster
@pytest.mark.timeout(1200)
def test_six_random_kills(tmp_path: Path, order: Order) -> None:
    _kill_often(tmp_path, order, 6)


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_two_hundred_random_kills(tmp_path: Path, order: Order) -> None:
    _kill_often(tmp_path, order, 200)


def _kill_often(folder: Path, order: Order, kills: int) -> None:
    faults = write_faults(folder / "faults", SLOW_S)
    begun = time.monotonic()
    with driver(LOCAL, replace(order, store=str(folder / "undisturbed")), faults) as run:
        summary = run.summary()
    expected = rows_of(folder / "undisturbed", summary["run_id"])
    killer = Killer(random.Random(SEED), time.monotonic() - begun)
    while killer.kills < kills:
        assert _rows_after_kills(order, faults, killer, kills) == expected
        shutil.rmtree(order.store)


def _rows_after_kills(order: Order, faults: Faults, killer: Killer, kills: int) -> Rows:
    """Start the same run again and again, until a driver gets to its end."""
    for _ in range(_TRIES):
        with driver(LOCAL, order, faults) as run:
            victim = killer.strike(run) if killer.kills < kills else None
            code = run.wait()
        # PySpark's own threads may print tracebacks before that line.
        said = run.progress.strip().splitlines()[-1:]
        assert code != 1 or said[0].startswith("Failed: "), f"after the kill of a {victim}:\n{run.progress}"
        if code == 0 or victim in (None, "worker"):
            return rows_of(order.store, run.summary()["run_id"])
    raise AssertionError(f"no driver got to its end in {_TRIES} tries")
