"""The package as executors get it: a ZIP under a relative path."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sparkcore.config import RunConfig
from sparkcore.engine.shipping import with_local_model, write_package
from sparkcore.worker.task import WorkerTask
from tests.models.fixture_model import frozen_fixture

IMPORT_ALL = """
import pkgutil, sys
sys.path = ["./sparkcore.zip", *sys.path[1:]]
import sparkcore
assert sparkcore.__file__.startswith("./sparkcore.zip"), sparkcore.__file__
rooms = ("worker", "runs", "models", "imaging", "storage")
names = {module.name for module in pkgutil.walk_packages(sparkcore.__path__, "sparkcore.")}
for name in names:
    if name.split(".")[1] in rooms:
        __import__(name)
assert {f"sparkcore.{room}" for room in rooms} < set(sys.modules)
assert "pyspark" not in sys.modules
"""


def test_all_that_executors_import_can_be_imported_from_it(tmp_path: Path) -> None:
    write_package(tmp_path / "sparkcore.zip")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_it_holds_data_files_but_no_pictures_and_no_driver(tmp_path: Path) -> None:
    names = zipfile.ZipFile(write_package(tmp_path / "sparkcore.zip")).namelist()
    assert "sparkcore/imagenet_classes.txt" in names
    assert "sparkcore/worker/loop.py" in names
    assert not [name for name in names if name.startswith(("sparkcore/engine", "sparkcore/samples")) or "pyc" in name]
    assert (tmp_path / "sparkcore.zip").stat().st_size < 500_000


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which an executor finds what it was sent."""
    from pyspark import SparkFiles

    folder = tmp_path / "sent"
    folder.mkdir()
    monkeypatch.setattr(SparkFiles, "_root_directory", str(folder))
    monkeypatch.setattr(SparkFiles, "_is_running_on_worker", True)
    return folder


def test_the_model_that_was_sent_comes_first(tmp_path: Path, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = frozen_fixture(tmp_path)
    task = WorkerTask(RunConfig(images="x"), model, 1, 1)
    assert with_local_model()(task) is task
    (sent / model.path.name).write_bytes(model.path.read_bytes())

    def forbidden(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", forbidden)  # the home of the driver's user, seen by that of the executor
    monkeypatch.setattr(Path, "exists", forbidden)
    assert with_local_model()(task).model.path == sent / model.path.name
