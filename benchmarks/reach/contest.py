"""Warm jobs of two contenders in alternating rounds, each in a process that stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import ROOT

_PROGRAM = Path(__file__).with_name("warm_jobs.py")
_END_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Work:
    """What every job does; a model's file needs no `weights`."""

    images: Path
    count: int
    model: str
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """A warm process of a source tree."""

    work: Work
    process: subprocess.Popen[str]
    log: Path

    def wait_until_ready(self) -> None:
        """Wait until its first jobs are done."""
        self._line()

    def seconds(self) -> float:
        """Carry out a job, and return the seconds that it took."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        told = json.loads(self._line())
        if (told["images"], told["errors"]) != (self.work.count, 0):
            raise RuntimeError(f"Expected {self.work.count} images without an error, received {told}.")
        return float(told["wall_s"])

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process has ended:\n{self.log.read_text(errors='replace')[-2000:]}")
        return line


@contextmanager
def contender(work: Work, tree: Path = ROOT, master: str | None = None) -> Iterator[Contender]:
    """Start a process of a source tree for the block; it warms up meanwhile."""
    words = [str(work.images), work.model, work.weights or "-", master or "-"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "SPARK_LOCAL_IP": "127.0.0.1"}
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as folder:
        log = Path(folder, "stderr.log")
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM), *words],
                cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        try:
            yield Contender(work, process, log)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(_END_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def alternate(contenders: Sequence[Contender], rounds: int) -> list[list[float]]:
    """Return the seconds of each contender by round; who goes first alternates."""
    for one in contenders:
        one.wait_until_ready()
    seconds: list[list[float]] = [[] for _ in contenders]
    for number in range(rounds):
        order = list(enumerate(contenders))
        for place, one in order if number % 2 else reversed(order):
            seconds[place].append(one.seconds())
    return seconds
