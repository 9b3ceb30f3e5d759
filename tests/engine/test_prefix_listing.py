from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest

from sparkcore.engine import prefix_listing
from sparkcore.engine.prefix_listing import list_prefix
from sparkcore.errors import RunCancelledError, StorageError
from sparkcore.storage.interface import Entry, FolderContent
from sparkcore.storage.objects import MemoryStorage
from tests.conftest import wait_until

NESTED = [
    "in/0.jpg", "in/a", *(f"in/a/{number}.jpg" for number in range(35)), "in/b/c/x.jpg",
    *(f"in/b/c/d/{number}.jpg" for number in range(25)), *(f"in/e{number}/1.jpg" for number in range(30)),
    "in.jpg", "other/1.jpg",
]  # fmt: skip


class WatchedStorage(MemoryStorage):
    """Memory that notes which folders are listed, and by how many threads; `broken` is one that cannot be."""

    def __init__(self) -> None:
        super().__init__(f"memory://{uuid.uuid4().hex}")
        self.listed: list[str] = []
        self.divided: list[str] = []
        self.broken: str | None = None

    def list(self, prefix: str = "") -> Iterator[Entry]:
        self.listed.append(prefix)
        if prefix == self.broken:
            raise StorageError("broken")
        yield from sorted(super().list(prefix), key=lambda entry: entry.name)

    def list_folder(self, prefix: str = "") -> FolderContent:
        self.divided.append(prefix)
        return super().list_folder(prefix)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> WatchedStorage:
    monkeypatch.setattr(prefix_listing, "_PAGE", 10)
    return WatchedStorage()


def fill(storage: WatchedStorage, names: list[str]) -> None:
    for name in names:
        storage.write(name, b"1")


def found(storage: WatchedStorage, prefix: str = "") -> list[str]:
    return [entry.name for entry in list_prefix(storage, prefix)]


def test_each_object_is_found_once_whatever_the_folders(storage: WatchedStorage) -> None:
    fill(storage, NESTED)
    assert sorted(found(storage)) == sorted(NESTED)
    assert sorted(found(storage, "in")) == sorted(name for name in NESTED if name.startswith("in/"))
    assert sorted(found(storage, "in/b")) == sorted(name for name in NESTED if name.startswith("in/b/"))
    assert found(storage, "nowhere") == []


def test_large_folders_are_listed_each_by_itself_and_to_any_depth(storage: WatchedStorage) -> None:
    fill(storage, NESTED)
    names = found(storage, "in")
    assert storage.divided == ["in", "in/b", "in/b/c"]
    assert {"in/a", "in/b/c/d", "in/e0", "in/e29"} <= set(storage.listed)
    assert names.index("in/a") < names.index("in/a/0.jpg")


def test_one_page_and_many_small_folders_are_listed_in_one_go(storage: WatchedStorage) -> None:
    fill(storage, [f"few/{number}/1.jpg" for number in range(9)] + [f"many/{number}/1.jpg" for number in range(200)])
    assert len(found(storage, "few")) == 9
    assert len(found(storage, "many")) == 200
    assert (storage.listed, storage.divided) == (["few", "many"], [])


def test_a_folder_that_cannot_be_listed_ends_the_listing(storage: WatchedStorage) -> None:
    fill(storage, NESTED)
    storage.broken = "in/b/c/d"
    with pytest.raises(StorageError, match="broken"):
        found(storage)


def test_no_thread_outlives_a_listing_that_is_given_up(
    storage: WatchedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix_listing, "_WAITING_PAGES", 1)
    fill(storage, NESTED)
    entries = list_prefix(storage, "in")
    assert next(entries).name.startswith("in/")
    entries.close()  # type: ignore[attr-defined]
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == "listing"])


def test_nobody_waits_for_a_store_that_is_silent(storage: WatchedStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = threading.Event()
    monkeypatch.setattr(storage, "list", lambda _: iter([silent.wait()]))

    def check() -> None:
        raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        next(list_prefix(storage, "in", check))
    silent.set()
