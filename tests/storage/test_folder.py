"""What only a local folder has: links, renames, permissions, unfinished files."""

from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sparkcore.errors import StorageError
from sparkcore.storage import folder
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.opening import open_storage


def no_links(path: Path, target: Path) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(path), None, str(target))


def test_paths_and_file_uris_are_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uris = {
        open_storage(uri).uri for uri in ("a b", f"{tmp_path}/a b", f"file:{tmp_path}/a b", f"file://{tmp_path}/a b")
    }
    assert uris == {f"{tmp_path}/a b"}
    with pytest.raises(StorageError, match=r"^Expected a path or a URI with one of"):
        open_storage("hdfs://host/a")


def test_the_version_is_the_modification_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    os.utime(tmp_path / "a", ns=(1, 1_700_000_000_123_456_789))
    entry = FolderStorage(tmp_path).stat("a")
    assert (entry.modified_ns, entry.version) == (1_700_000_000_123_456_789, "1700000000123456789")


def test_without_links_one_of_many_writers_still_creates_an_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    storage, start = FolderStorage(tmp_path), threading.Barrier(16)

    def create(number: int) -> bool:
        start.wait(30)
        return storage.write_new("a", str(number).encode())

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, range(16)))
    assert won.count(True) == 1
    assert storage.read("a") == str(won.index(True)).encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_system_that_cannot_create_exclusively_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class System:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def renameat2(self, *_: object) -> int:
            return -1

        renamex_np = renameat2

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    monkeypatch.setattr(folder.ctypes, "CDLL", System)
    monkeypatch.setattr(folder.ctypes, "get_errno", lambda: errno.EINVAL)
    with pytest.raises(StorageError, match="hard links or with a rename that does not replace"):
        FolderStorage(tmp_path).write_new("a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_unfinished_files_are_not_listed(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    with storage.open_writer("b") as file:
        file.write(b"half")
        file.flush()
        assert len(list(tmp_path.iterdir())) == 1
        assert list(storage.list()) == []
    assert [entry.name for entry in storage.list()] == ["b"]


def test_a_file_in_the_place_of_the_folder_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(StorageError, match="the folder cannot be listed: Not a directory"):
        FolderStorage(tmp_path / "a").check()


def test_a_folder_in_the_place_of_an_object_is_an_error(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    storage.write("a/b", b"1")
    for operation in (
        lambda: storage.write("a", b"1"),
        lambda: storage.write_new("a", b"1"),
        lambda: storage.delete("a"),
    ):
        with pytest.raises(StorageError, match="'a' cannot be read or written: Is a directory"):
            operation()
    with pytest.raises(StorageError, match="'a/b/c' cannot be read or written"):
        storage.write("a/b/c", b"1")
