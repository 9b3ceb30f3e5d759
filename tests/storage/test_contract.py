"""What every storage promises, tried on each: a local folder, memory, and a real S3 server."""

from __future__ import annotations

import os
import pickle
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkcore.errors import StorageError
from sparkcore.storage.interface import Storage
from sparkcore.storage.opening import open_storage

ODD_NAMES = [
    "a b.jpg", "50%.jpg", "x#1.jpg", "plus+&=,;$!~().jpg", "emoji😀.jpg", "ünï.jpg", "中文.jpg", "a%20b.jpg", "q?.jpg",
    "br[1]*.jpg", "q'uote\".jpg", "...", "deep/er/no suffix",
]  # fmt: skip
WRITERS = 32


class StorageContract:
    """Subclasses give the fixture `storage`: an empty one."""

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_any_name_is_written_listed_read_and_deleted(self, storage: Storage, name: str) -> None:
        storage.write(name, b"content")
        assert storage.read(name) == b"content"
        assert [(entry.name, entry.size_bytes) for entry in storage.list()] == [(name, 7)]
        assert storage.stat(name) == next(storage.list())
        storage.delete(name)
        assert list(storage.list()) == []

    @pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a\tb", "a\0b"])
    def test_impossible_names_are_refused(self, storage: Storage, name: str) -> None:
        for operation in (storage.read, storage.stat, storage.delete):
            with pytest.raises(ValueError, match=r"^Expected a name without"):
                operation(name)
        for write in (storage.write, storage.write_new):
            with pytest.raises(ValueError, match=r"^Expected a name without"):
                write(name, b"1")

    def test_an_entry_tells_when_an_object_was_written_and_whether_it_changed(self, storage: Storage) -> None:
        storage.write("a", b"1")
        first = storage.stat("a")
        assert abs(first.modified_ns - time.time_ns()) < 60e9
        assert storage.stat("a").version == first.version
        storage.write("a", b"22")
        second = storage.stat("a")
        assert (second.size_bytes, second.version != first.version) == (2, True)

    def test_a_prefix_is_a_folder(self, storage: Storage) -> None:
        for name in ("a/1", "a/b/2", "ab/3", "4"):
            storage.write(name, b"1")
        assert sorted(entry.name for entry in storage.list()) == ["4", "a/1", "a/b/2", "ab/3"]
        assert sorted(entry.name for entry in storage.list("a")) == ["a/1", "a/b/2"]
        assert list(storage.list("nowhere")) == []

    def test_one_level_of_a_folder(self, storage: Storage) -> None:
        for name in ("a/1", "a/b c/2", "a/b c/d/3", "ab/4", "5"):
            storage.write(name, b"1")
        folders, entries = storage.list_folder()
        assert (folders, [entry.name for entry in entries]) == (["a", "ab"], ["5"])
        folders, entries = storage.list_folder("a")
        assert (folders, entries) == (["a/b c"], [storage.stat("a/1")])
        assert storage.list_folder("a/b") == storage.list_folder("nowhere") == ([], [])

    def test_a_long_folder_is_complete(self, storage: Storage) -> None:
        names = [f"a/{number:04d}/1" for number in range(1100)]  # more than a page
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: storage.write(name, b""), names))
        assert storage.list_folder("a")[0] == [name.removesuffix("/1") for name in names]

    @pytest.mark.parametrize("size_bytes", [0, 1000, 6_000_000])
    def test_an_open_reader_is_a_file(self, storage: Storage, size_bytes: int) -> None:
        content = os.urandom(size_bytes)
        storage.write("a", content)
        for known in (None, size_bytes):
            with storage.open_reader("a", known) as file:
                assert file.seek(-min(9, size_bytes), os.SEEK_END) == max(0, size_bytes - 9)
                assert file.read(100) == content[-9:]
                assert (file.read(1), file.tell()) == (b"", size_bytes)
                assert file.seek(size_bytes // 3) == size_bytes // 3
                assert file.read(50) == content[size_bytes // 3 :][:50]
                assert file.seek(10, os.SEEK_CUR) == file.tell()
                assert file.read() == content[size_bytes // 3 :][60:]
                file.seek(0)
                assert file.read() == content
        with pytest.raises(FileNotFoundError):
            storage.open_reader("nothing").read()

    def test_a_parquet_file_is_read_in_place(self, storage: Storage) -> None:
        table = pa.table({"a": pa.array(range(400_000)), "b": pa.array([os.urandom(16) for _ in range(400_000)])})
        with storage.open_writer("a.parquet") as file:
            pq.write_table(table, file, row_group_size=10_000)
        with storage.open_reader("a.parquet") as file:
            parts = pq.ParquetFile(file)
            assert parts.read_row_group(17, columns=["b"]).equals(table.select(["b"]).slice(170_000, 10_000))
            assert parts.read().equals(table)

    def test_a_long_listing_is_complete(self, storage: Storage) -> None:
        names = [f"{number % 7}/{number:04d}" for number in range(1100)]  # more than a page
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: storage.write(name, b""), names))
        assert sorted(entry.name for entry in storage.list()) == sorted(names)

    def test_ranges(self, storage: Storage) -> None:
        storage.write("a", bytes(range(100)))
        assert storage.read_range("a", 0, 1) == b"\0"
        assert storage.read_range("a", 40, 3) == bytes([40, 41, 42])
        assert storage.read_range("a", 98, 50) == bytes([98, 99])
        with pytest.raises(StorageError):
            storage.read_range("a", 100, 1)
        for start, length in ((-1, 5), (0, 0)):
            with pytest.raises(ValueError, match="Expected start"):
                storage.read_range("a", start, length)

    def test_a_large_object(self, storage: Storage) -> None:
        content = os.urandom(30_000_000)
        storage.write("large", content)
        assert storage.stat("large").size_bytes == len(content)
        assert storage.read("large") == content
        assert storage.read_range("large", 29_999_990, 10) == content[-10:]

    def test_what_is_not_there(self, storage: Storage) -> None:
        storage.write("folder/a", b"1")
        for name in ("nothing", "folder", "folder/a/b"):
            for operation in (storage.read, lambda name: storage.read_range(name, 0, 1)):
                with pytest.raises((FileNotFoundError, StorageError)):
                    operation(name)
            with pytest.raises(FileNotFoundError):
                storage.stat(name)
        with pytest.raises(FileNotFoundError):
            storage.read("nothing")
        storage.delete("nothing")

    def test_a_writer_replaces_the_object_at_its_end(self, storage: Storage) -> None:
        storage.write("a", b"old")
        with storage.open_writer("a") as file:
            file.write(b"head")
            file.write(b"-tail")
            file.seek(0)
            file.write(b"HEAD")
            assert storage.read("a") == b"old"
        assert storage.read("a") == b"HEAD-tail"

    def test_a_writer_that_fails_leaves_nothing_behind(self, storage: Storage) -> None:
        def fail() -> None:
            with storage.open_writer("a") as file:
                file.write(b"half")
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert list(storage.list()) == []

    def test_one_of_many_writers_creates_an_object(self, storage: Storage) -> None:
        contents = [f"writer {number}".encode() for number in range(WRITERS)]
        start = threading.Barrier(WRITERS)

        def create(content: bytes) -> bool:
            start.wait(30)
            return storage.write_new("deep/object", content)

        with ThreadPoolExecutor(WRITERS) as pool:
            won = list(pool.map(create, contents))
        assert won.count(True) == 1
        assert storage.read("deep/object") == contents[won.index(True)]
        assert [entry.name for entry in storage.list()] == ["deep/object"]

    def test_whoever_creates_the_same_content_again_has_won(self, storage: Storage) -> None:
        assert storage.write_new("a", b"1")
        assert storage.write_new("a", b"1")
        assert not storage.write_new("a", b"2")
        assert storage.read("a") == b"1"

    def test_a_pickled_storage_is_the_same_place(self, storage: Storage) -> None:
        storage.write("a", b"1")
        copy = pickle.loads(pickle.dumps(storage))
        assert copy.uri == storage.uri
        assert copy.read("a") == b"1"

    def test_a_storage_that_can_be_listed_passes_the_check(self, storage: Storage) -> None:
        storage.check()


class TestFolder(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        return open_storage(str(tmp_path / "new"))


class TestMemory(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return open_storage(f"memory://{uuid.uuid4().hex}")


class TestS3(StorageContract):
    @pytest.fixture
    def storage(self, s3_prefix: str) -> Storage:
        return open_storage(s3_prefix)
