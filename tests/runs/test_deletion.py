from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparkcore.child import child_environment
from sparkcore.errors import RunNotFoundError, StorageError
from sparkcore.runs import deletion
from sparkcore.runs.layout import manifest_name, plan_name, recipe_name, run_folder
from sparkcore.runs.store import RunStore
from sparkcore.storage.folder import FolderStorage
from tests.read_only import read_only
from tests.runs.test_store import MANIFEST

NAMES = [f"runs/00aa/word/results/{number}.parquet" for number in range(40)]


@pytest.fixture(params=["same disk", "another disk"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the state folder be on the disk of a local store, or not."""
    if request.param == "another disk":
        monkeypatch.setattr(Path, "rename", _refuse)
    return str(request.param)


def _refuse(path: Path, target: Path) -> None:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(path), None, str(target))


def write(store: RunStore) -> None:
    """Write a run of many files."""
    store.storage.write(plan_name("00aa"), b"{}")
    store.storage.write(recipe_name("c", "00aa"), b"")
    for name in NAMES:
        store.storage.write(name, b"1")
    store.finish(MANIFEST)


def left(store: RunStore) -> list[str]:
    """Return the names of all files of runs and recipes."""
    return sorted(entry.name for folder in ("runs", "recipes") for entry in store.storage.list(folder))


@pytest.mark.usefixtures("disk")
def test_everything_of_a_run_is_deleted(store: RunStore) -> None:
    write(store)
    store.storage.write("runs/00ab/plan.json", b"{}")
    assert store.runs() == [MANIFEST]
    store.delete("00aa")
    assert (store.runs(), store.has("00aa"), left(store)) == ([], False, ["runs/00ab/plan.json"])
    assert list((store.state / "trash").iterdir()) == []
    if isinstance(store.storage, FolderStorage):
        assert store.storage.list_folder("runs")[0] == ["runs/00ab"]
    with pytest.raises(RunNotFoundError, match="received '00aa'"):
        store.delete("00aa")


def test_an_unfinished_run_is_deleted(store: RunStore) -> None:
    store.storage.write(plan_name("00aa"), b"{}")
    store.delete("00aa")
    assert left(store) == []


@pytest.mark.usefixtures("disk")
def test_a_deletion_that_fails_is_ended_by_the_next_sweep(store: RunStore, disk: str) -> None:
    write(store)
    deleted: list[str] = []
    delete = store.storage.delete

    def fail(name: str) -> None:
        if len(deleted) == 5:
            raise StorageError("the network is gone")
        deleted.append(name)
        delete(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.storage, "delete", fail)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        if isinstance(store.storage, FolderStorage) and disk == "same disk":
            store.delete("00aa")
        else:
            with pytest.raises(StorageError, match="the network is gone"):
                store.delete("00aa")
            assert deleted[:3] == [recipe_name("c", "00aa"), manifest_name("00aa"), plan_name("00aa")]
    assert (store.runs(), store.unfinished()) == ([], [])
    assert len(list((store.state / "trash").iterdir())) == 1
    RunStore(store.uri, store.state).sweep()
    assert left(store) == []
    assert list((store.state / "trash").iterdir()) == []


@contextmanager
def killed_in_between() -> Iterator[None]:
    """Let a deletion end when it has deleted the manifest and the plan."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", _refuse)
        patch.setattr(deletion, "_delete_all", lambda *_: None)
        yield


def test_a_sweep_leaves_the_files_of_a_run_computed_again(store: RunStore) -> None:
    again = f"{run_folder('00aa')}/files.parquet"
    store.storage.write(again, b"old")
    store.storage.write(NAMES[0], b"old")
    with killed_in_between():
        store.delete("00aa")
    store.storage.write(again, b"again")
    RunStore(store.uri, store.state).sweep()
    assert left(store) == [again]


def test_the_sweep_of_another_store_changes_nothing(store: RunStore, tmp_path: Path) -> None:
    store.storage.write(NAMES[0], b"old")
    with killed_in_between():
        store.delete("00aa")
    RunStore(tmp_path / "other", store.state).sweep()
    assert left(store) == [NAMES[0]]


def test_a_killed_deletion_does_not_bring_the_run_back(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "store")
    write(store)
    code = (
        "import os, shutil, signal, sys\n"
        "from sparkcore.runs.store import RunStore\n"
        "shutil.rmtree = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "RunStore(sys.argv[1]).delete('00aa')"
    )
    command = [sys.executable, "-c", code, store.uri]
    killed = subprocess.run(command, check=False, env=child_environment(), timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert list(Path(store.uri).rglob("manifest.json"))  # its files are still there
    assert (store.runs(), store.unfinished(), store.has("00aa")) == ([], [], False)
    store.sweep()
    assert not list(Path(store.uri).rglob("manifest.json"))


def test_what_0_1_left_of_a_deletion_is_no_run_and_is_swept(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    write(store)
    (tmp_path / "runs" / "00aa").rename(tmp_path / "runs" / ".deleted-00aa-12345678")
    (tmp_path / "trash" / "00bb-12345678").mkdir(parents=True)
    assert (store.runs(), store.unfinished()) == ([], [])
    RunStore(tmp_path, tmp_path / "state").sweep()
    assert list((tmp_path / "runs").iterdir()) == list((tmp_path / "trash").iterdir()) == []


def test_a_read_only_store_refuses(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "store")
    write(store)
    with read_only(tmp_path / "store"), pytest.raises(StorageError, match=r"00aa cannot be deleted|cannot be read or"):
        store.delete("00aa")
    assert store.runs() == [MANIFEST]
