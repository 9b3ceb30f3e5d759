"""What the preflight asks of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.errors import StorageError
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.probe import check_exclusive, check_shared


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    check_exclusive(storage)
    storage.write("probes/driver", b"")
    check_shared(storage, "probes/driver")
    assert [entry.name for entry in storage.list()] == ["probes/driver"]


def test_a_store_that_is_not_the_drivers(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Expected a store that the driver and all executors share, but "):
        check_shared(FolderStorage(tmp_path / "own"), "probes/driver")
    assert not (tmp_path / "own").exists(), "nobody finds what an executor leaves there"


def test_a_store_that_creates_twice(tmp_path: Path) -> None:
    class Careless(FolderStorage):
        def write_new(self, name: str, content: bytes) -> bool:
            self.write(name, content)
            return True

    with pytest.raises(StorageError, match="expected a store that refuses to create an object twice"):
        check_exclusive(Careless(tmp_path))
