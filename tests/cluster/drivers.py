"""Drivers as processes that tests watch, interrupt and kill, with all that they have started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparkcore.runs.store import RunStore
from tests.cluster.conftest import ROOT, Cluster
from tests.cluster.faults import Faults
from tests.cluster.servers import quick_jvm
from tests.cluster.sixty import SETTINGS, receipts_of
from tests.conftest import wait_until

EXECUTOR = "CoarseGrainedExecutorBackend"
WORKER = "pyspark.daemon"
_PATIENCE_S = 10
_LIMIT_S = 240


@dataclass(frozen=True, slots=True)
class Order:
    """A request and the store for its run."""

    images: str
    model: Path
    store: str
    state: Path
    words: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """The words of the command line."""
        return ["run", self.images, "--model", str(self.model), "--json", *SETTINGS, *self.words]

    @property
    def environment(self) -> dict[str, str]:
        """The environment that names the store."""
        return {"SPARKCORE_STORE": self.store, "SPARKCORE_STATE": str(self.state)}


@dataclass(slots=True)
class Driver:
    """A driver that runs."""

    order: Order
    process: subprocess.Popen[str]
    log: Path
    stderr: Path
    others: frozenset[int]
    started: set[int] = field(default_factory=set)

    @property
    def progress(self) -> str:
        """What it has told so far."""
        return self.stderr.read_text(errors="replace")

    def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(_LIMIT_S)

    def summary(self) -> dict[str, Any]:
        """Wait for its end, which must be a good one, and return what it printed."""
        code = self.wait()
        assert code == 0, f"exit {code}\n{self.progress}\n{self._spark_log()}"
        found: dict[str, Any] = json.loads(self.log.read_text())
        return found

    def wait_for_receipts(self, count: int) -> int:
        """Wait until a bucket or more are committed; return how many."""
        wait_until(lambda: self.process.poll() is not None or committed(self.order.store) >= count, _LIMIT_S)
        assert self.process.poll() is None, f"the run has ended too early:\n{self.progress}"
        return committed(self.order.store)

    def executors(self) -> list[int]:
        """Return the executors that a standalone cluster of this test has started for it."""
        return [pid for pid in named(EXECUTOR, os.getpid()) if pid not in self.others]

    def python_workers(self) -> list[int]:
        """Return the Python workers of its executors, or its own."""
        roots = self.executors() or [self.process.pid]
        return [worker for root in roots for worker in forked_workers(root)]

    def kill(self) -> None:
        """Kill the driver, Python alone: what it has started must notice."""
        self.started |= descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not self.executors())
        wait_until(lambda: not self.started & running())

    def _spark_log(self) -> str:
        path = self.order.state / "logs" / "spark.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""


@contextmanager
def driver(cluster: Cluster, order: Order, faults: Faults | None = None, *words: str) -> Iterator[Driver]:
    """Start a run until the end of the block, where nothing of it may be left."""
    order.state.mkdir(parents=True, exist_ok=True)
    others = frozenset(named(EXECUTOR, os.getpid()))
    stem = f"driver-{len(list(order.state.glob('driver-*')))}"
    log, stderr = order.state / f"{stem}.json", order.state / f"{stem}.err"
    more = faults.settings(cluster.master) if faults else []
    environment = {**os.environ, **quick_jvm(), **cluster.environment, **order.environment}
    if faults:
        environment |= faults.environment(cluster.master)
    with log.open("w") as out, stderr.open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "sparkcore", *order.command, "--master", cluster.master, *more, *words],
            cwd=ROOT, env=environment, stdout=out, stderr=err, text=True, start_new_session=True,
        )  # fmt: skip
    started = Driver(order, process, log, stderr, others)
    try:
        yield started
    finally:
        started.started |= descendants(process.pid)
        process.kill()
        process.wait()
        _end_all(started.started)


def run_ids(store: str) -> list[str]:
    """Return the ids of runs with a plan, finished or not."""
    found = RunStore(store)
    return sorted({*found.unfinished(), *(manifest.run_id for manifest in found.runs())})


def committed(store: str) -> int:
    """Return how many buckets of the unfinished run in a store have a receipt."""
    return sum(len(receipts_of(store, run_id).receipts) for run_id in RunStore(store).unfinished())


def descendants(pid: int) -> set[int]:
    """Return the ids of the processes that a process has started, and of those that they have."""
    children: dict[int, list[int]] = {}
    for process, (_, parent) in _processes().items():
        children.setdefault(parent, []).append(process)
    found, todo = set(), [pid]
    while todo:
        new = children.get(todo.pop(), [])
        found.update(new)
        todo.extend(new)
    return found


def named(word: str, below: int) -> list[int]:
    """Return the descendants of a process with a word in their command line."""
    processes, family = _processes(), descendants(below)
    return sorted(pid for pid, (line, _) in processes.items() if pid in family and word in line)


def kill(pid: int) -> None:
    """Send SIGKILL to a process that may have ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def running() -> set[int]:
    """Return the ids of all processes that are no zombies."""
    return set(_processes())


def forked_workers(below: int) -> list[int]:
    """Return the Python workers below a process: those that a daemon has forked."""
    daemons, processes = named(WORKER, below), _processes()
    return [pid for pid in daemons if pid in processes and processes[pid][1] in daemons]


def _end_all(pids: set[int]) -> None:
    """Wait a moment for processes to end by themselves, then kill them."""
    with suppress(AssertionError):
        wait_until(lambda: not pids & running(), _PATIENCE_S)
    for pid in pids & running():
        kill(pid)


def _processes() -> dict[int, tuple[str, int]]:
    """Return command line and parent of each process that is no zombie."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if state != "Z":
                    found[int(entry.name)] = (line, int(parent))
    return found
