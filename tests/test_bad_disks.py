"""A store on a disk that is full or read-only while processes are killed: a clear message, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.errors import RunFailedError
from sparkcore.runs.files_table import parts_so_far
from tests.conftest import wait_until, write_colors
from tests.kill_scene import Scene, scene_in
from tests.small_disk import filled, read_only_disk, small_disk

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
IMAGES = 32
SEED = 20_260_102


@dataclass(frozen=True, slots=True)
class BadDisk:
    """A way in which a disk goes bad, and what is said of it."""

    goes_bad: Callable[[Path], AbstractContextManager[None]]
    said: str


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "8m") as folder:
        yield folder


@pytest.fixture
def scene(
    tmp_path: Path, disk: Path, request_for: Callable[..., RunConfig], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    monkeypatch.setenv("SPARKCORE_STATE", str(tmp_path / "state"))
    write_colors(tmp_path / "in", IMAGES)
    engine = EngineConfig(store=disk / "store", state=tmp_path / "state", bucket_size=4)
    with scene_in(tmp_path, request_for(tmp_path / "in"), engine, SEED) as made:
        yield made


@pytest.mark.parametrize(
    "bad", [BadDisk(filled, "No space left on device"), BadDisk(read_only_disk, "Read-only file system")],
    ids=["full", "read-only"],
)  # fmt: skip
def test_a_disk_goes_bad_while_processes_are_killed(scene: Scene, disk: Path, bad: BadDisk) -> None:
    expected = scene.rows()
    job = client.submit(scene.request, scene.engine)
    wait_until(lambda: committed(scene) > 0)
    with bad.goes_bad(disk):
        kept = committed(scene)
        scene.strike("worker", job.job_id)
        scene.strike("engine", job.job_id)
        scene.wait_for_end(job.job_id)
        failed = client.status(job.job_id, scene.engine)
        assert (failed.state, bad.said in failed.message) == ("failed", True), failed.message
        assert (scene.store.runs(), committed(scene)) == ([], kept)
    again = client.submit(scene.request, scene.engine)
    scene.wait_for_end(again.job_id)
    run_id = client.status(again.job_id, scene.engine).run_id
    assert run_id is not None
    assert scene.store.manifest(run_id).counts["resumed"] == kept
    assert scene.take_rows(run_id) == expected


def test_a_job_that_cannot_be_noted(disk: Path, request_for: Callable[..., RunConfig]) -> None:
    engine = EngineConfig(store=disk / "store")
    with filled(disk), pytest.raises(RunFailedError, match=r"Expected to write to the job table .* the free space"):
        client.submit(request_for(disk / "in"), engine)
    assert client.jobs(engine) == []
    assert client.engine_pid(engine) is None


def committed(scene: Scene) -> int:
    """Return how many images are committed of the run in progress."""
    return sum(part.rows for run in scene.store.unfinished() for part in parts_so_far(scene.store.storage, run))
