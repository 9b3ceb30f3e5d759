"""A real run over every damaged, hostile and largest file, under names that break what is careless."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import run
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run
from tests.cluster.drivers import descendants, forked_workers
from tests.conftest import write_colors
from tests.imaging.hostile_files import heavy_files, hostile_files, write_hostile_folder

# Above an idle worker, which holds its model: an image's gigabyte, and the idle child that decodes it.
MOST_BYTES = 1_100_000_000
_log = logging.getLogger(__name__)


@contextmanager
def measured(found: dict[int, int]) -> Iterator[None]:
    """Note the most memory of each Python worker with its children, in bytes."""
    done = threading.Event()

    def measure() -> None:
        while not done.wait(0.1):
            for worker, memory in _workers_bytes().items():
                found[worker] = max(found.get(worker, 0), memory)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _workers_bytes() -> dict[int, int]:
    workers = forked_workers(os.getpid())
    return {worker: sum(map(_resident_bytes, {worker, *descendants(worker)})) for worker in workers}


def _resident_bytes(pid: int) -> int:
    with suppress(OSError):  # it has ended
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    return 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_file_is_a_row(
    tmp_path: Path, spark: object, engine: EngineConfig, request_for: Callable[..., RunConfig]
) -> None:
    del spark
    write_colors(tmp_path / "warm", 8)
    run(request_for(tmp_path / "warm"), engine)
    idle = max(_workers_bytes().values())  # of one that has classified; another may not have its model yet
    files = write_hostile_folder(tmp_path / "in", hostile_files() | heavy_files())
    memory: dict[int, int] = {}
    with measured(memory):
        manifest = run(request_for(tmp_path / "in"), engine).manifest
    _log.info("%s, %s, %s; an idle worker has %s bytes, workers had at most %s", manifest.counts,
              manifest.error_types, manifest.timings, idle, memory)  # fmt: skip
    store = RunStore(engine.store)
    assert manifest.counts["images"] == files == read_parts(store, manifest.run_id, ["status"]).num_rows
    assert "internal" not in manifest.error_types
    assert verify_run(store.storage, manifest.run_id).problems == ()
    assert memory
    assert max(memory.values()) - idle < MOST_BYTES, (idle, memory)
