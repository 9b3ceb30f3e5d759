"""Executors that cannot do their part: a clear message, soon, and nothing that looks like a run."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sparkcore.runs.store import RunStore
from tests.cluster.conftest import Cluster
from tests.cluster.drivers import Order, driver
from tests.cluster.servers import standalone, standalone_worker

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


def can_mount() -> bool:
    """Tell whether this user may hide folders from a process."""
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return tried.returncode == 0


@dataclass(frozen=True, slots=True)
class Scene:
    """A standalone cluster of one fit worker and one that does not see everything, and the request for it."""

    cluster: Cluster
    order: Order
    folder: Path

    def refusal(self, *, fit_workers: int, shell: str) -> str:
        """Return what the driver tells of a cluster with as many fit workers beside the unfit one."""
        with ExitStack() as stack:
            for number in range(fit_workers):
                stack.enter_context(standalone_worker(self.folder / f"fit-{number}", self.cluster.master))
            stack.enter_context(standalone_worker(self.folder / "unfit", self.cluster.master, shell=shell))
            return refusal(self.cluster, self.order)


@pytest.fixture
def scene(tmp_path: Path, executors_python: Path, sixty: Path, colors_model: Path) -> Iterator[Scene]:
    if not can_mount():
        pytest.skip("needs the right to mount: another machine's disk is a mount of its own")
    environment = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": str(executors_python)}
    order = Order(str(sixty), colors_model, str(tmp_path / "store"), tmp_path / "state", ("--bucket-size", "5"))
    Path(order.store).mkdir()
    with standalone(tmp_path / "cluster", workers=0) as master:
        yield Scene(Cluster(master, environment), order, tmp_path)


def refusal(cluster: Cluster, order: Order) -> str:
    """Return the last line of a driver that fails; there must be no run, and no traceback."""
    with driver(cluster, order) as run:
        code = run.wait()
        told = run.progress
    assert code in (1, 2), f"exit {code}\n{told}"
    assert "Traceback" not in told
    assert RunStore(order.store).runs() == []
    return told.splitlines()[-1]


def hidden(path: Path | str) -> str:
    """Return the command after which a folder is there, but empty, as a mount point without its file system."""
    return f"mount -t tmpfs none {shlex.quote(str(path))}"


@pytest.mark.parametrize("fit_workers", [0, 1])
def test_pictures_that_a_worker_does_not_see(scene: Scene, fit_workers: int) -> None:
    told = scene.refusal(fit_workers=fit_workers, shell=hidden(scene.order.images))
    assert re.match(f"Failed: Expected every executor to see {scene.order.images}/.*, but .* does not. Use a ", told)


def test_a_folder_that_no_worker_has(scene: Scene) -> None:
    told = scene.refusal(fit_workers=0, shell=hidden(Path(scene.order.images).parent))
    assert re.match(f"Failed: Expected every executor to see {scene.order.images}, but .* does not. Use a ", told)


@pytest.mark.parametrize("fit_workers", [0, 1])
def test_a_store_that_a_worker_does_not_see(scene: Scene, fit_workers: int) -> None:
    told = scene.refusal(fit_workers=fit_workers, shell=hidden(scene.order.store))
    assert re.match(r"(Error|Failed): .* does not find .*Use (a store|an object store)", told)


def test_a_store_that_a_worker_may_not_write(scene: Scene) -> None:
    store = shlex.quote(scene.order.store)
    told = scene.refusal(fit_workers=0, shell=f"mount --bind {store} {store}; mount -o remount,ro,bind {store}")
    assert re.match(f"Error: {scene.order.store}: .* cannot be read or written: Read-only file system", told)
