"""Child processes: run one to completion, and watch the memory of a process tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MB = 1_000_000
_EVERY_S = 0.5


def run_json(module: str, *arguments: str, python: str = sys.executable) -> tuple[dict[str, Any], float]:
    """Run `python -m module`; return the JSON of its last output line and the duration of the process in seconds.

    Raises RuntimeError with the end of its error output if it fails.
    """
    started = time.perf_counter()
    done = subprocess.run(
        [python, "-m", module, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, env=_environment()
    )
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1]), elapsed


def _environment() -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}


class Peak:
    """Peak memory of a process tree in MB; shared pages count once."""

    def __init__(self) -> None:
        self.memory_mb = 0.0
        self.parts_mb: dict[str, float] = {}

    def look(self, roots: set[int]) -> None:
        """Measure the trees below these process ids now and keep the maximum."""
        parts: dict[str, float] = {}
        for pid in tree(roots):
            name = process_name(pid)
            parts[name] = parts.get(name, 0.0) + memory_mb(pid)
        if sum(parts.values()) > self.memory_mb:
            self.memory_mb = sum(parts.values())
            self.parts_mb = {name: size_mb for name, size_mb in parts.items() if size_mb > 1}  # without shells


@contextmanager
def watched(roots: set[int]) -> Iterator[Peak]:
    """Watch the memory of these processes and all their children during the block."""
    peak, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY_S):
            peak.look(roots)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def tree(roots: set[int]) -> set[int]:
    """Return these process ids and those of all their children, as far as they run."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    found = set(roots) & set(parents)
    while True:
        children = {pid for pid, parent in parents.items() if parent in found} - found
        if not children:
            return found
        found |= children


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def process_name(pid: int) -> str:
    """Return the name of a process, empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def memory_mb(pid: int) -> float:
    """Return the proportional set size in MB: a page shared by two processes counts half in each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / MB for line in lines if line.startswith("Pss:")), 0.0)
