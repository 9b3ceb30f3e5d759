"""An object store as a storage."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, BinaryIO, cast

from sparkcore.background import in_background
from sparkcore.errors import StorageError
from sparkcore.origins import split_object_uri
from sparkcore.storage.bucket import BRISK, PATIENT, Patience, Settings, open_bucket, translated, traveling_settings
from sparkcore.storage.interface import Entry, FolderContent, Storage, checked_name
from sparkcore.storage.reading import RangeReader

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_CHECK_S = 8.0
_LIST_PAGE = 1000
_IN_MEMORY_BYTES = 64 << 20
_ONE_REQUEST_BYTES = 256 << 20  # larger objects go in several: one request holds its content in memory
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ObjectStorage(Storage):
    """The objects of a bucket below a prefix."""

    def __init__(self, uri: str, settings: Settings | None = None) -> None:
        place = split_object_uri(uri)
        if place is None or not place[0].partition("://")[2]:
            raise StorageError(f"Expected an address such as s3://bucket/prefix, received {uri!r}.")
        self._bucket, prefix = place
        if "@" in self._bucket:
            raise StorageError("Expected an address without credentials: set them as environment variables.")
        self._prefix = checked_name(prefix.rstrip("/")) + "/" if prefix.rstrip("/") else ""
        self.uri = f"{self._bucket}/{self._prefix}".rstrip("/")
        self._settings = traveling_settings(self._bucket) if settings is None else settings

    def __reduce__(self) -> tuple[type[ObjectStorage], tuple[str, Settings]]:
        return type(self), (self.uri, self._settings)

    def check(self) -> None:
        # The caller's thread may have an event loop of its own.
        in_background(lambda _: asyncio.run(self._check()), "store").result()

    def list(self, prefix: str = "") -> Iterator[Entry]:
        start = f"{self._prefix}{checked_name(prefix) if prefix else ''}"
        pages = self._open().list(start or None, chunk_size=_LIST_PAGE)
        while True:
            with translated(self.uri):
                page = next(pages, None)
            if page is None:
                return
            yield from map(self._entry, page)

    def list_folder(self, prefix: str = "") -> FolderContent:
        start = f"{self._prefix}{checked_name(prefix) if prefix else ''}"
        with translated(self.uri):
            found = self._open().list_with_delimiter(start or None)
        folders = [folder.removeprefix(self._prefix).rstrip("/") for folder in found["common_prefixes"]]
        return sorted(folders), sorted(map(self._entry, found["objects"]), key=lambda entry: entry.name)

    def stat(self, name: str) -> Entry:
        with translated(f"{self.uri}/{name}"):
            return self._entry(self._open().head(self._key(name)))

    def read(self, name: str) -> bytes:
        with translated(f"{self.uri}/{name}"):
            return self._open().get(self._key(name)).bytes().to_bytes()

    def open_reader(self, name: str, size_bytes: int | None = None) -> BinaryIO:
        size_bytes = self.stat(name).size_bytes if size_bytes is None else size_bytes
        return cast(BinaryIO, RangeReader(partial(self._read_range, name), size_bytes))

    def write(self, name: str, content: bytes) -> None:
        with translated(f"{self.uri}/{name}"):
            self._open().put(self._key(name), content, use_multipart=len(content) > _ONE_REQUEST_BYTES)

    @contextmanager
    def open_writer(self, name: str) -> Iterator[BinaryIO]:
        # Nothing is sent before the content is whole, and then in one request: neither a failure nor a killed process
        # leaves an unfinished upload, which nobody sees and everybody pays for.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
            yield file  # type: ignore[misc]
            size_bytes = file.seek(0, io.SEEK_END)
            file.seek(0)
            with translated(f"{self.uri}/{name}"):
                self._open().put(self._key(name), file, use_multipart=size_bytes > _ONE_REQUEST_BYTES)

    def delete(self, name: str) -> None:
        try:
            with translated(f"{self.uri}/{name}"):
                self._open().delete(self._key(name))
        except FileNotFoundError:
            return  # Google's answer where S3 says nothing

    def _read_range(self, name: str, start: int, length: int) -> bytes:
        with translated(f"{self.uri}/{name}"):
            return self._open().get_range(self._key(name), start=start, length=length).to_bytes()

    def _create(self, name: str, content: bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            with translated(f"{self.uri}/{name}", passing=(AlreadyExistsError, PreconditionError)):
                self._open().put(self._key(name), content, mode="create", use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    def _open(self, patience: Patience = PATIENT) -> ObjectStore:
        return open_bucket(self._bucket, self._settings, patience)

    async def _check(self) -> None:
        pages = self._open(BRISK).list(self._prefix or None, chunk_size=1)

        async def first() -> None:
            await anext(pages, None)

        try:
            with translated(self._bucket, passing=(TimeoutError,)):
                await asyncio.wait_for(first(), _CHECK_S)
        except TimeoutError:
            raise StorageError(f"{self._bucket}: no answer within {_CHECK_S:g} s. Check the network.") from None
        except FileNotFoundError:
            raise StorageError(f"{self._bucket}: expected a bucket, received none. Check its name.") from None

    def _key(self, name: str) -> str:
        return self._prefix + checked_name(name)

    def _entry(self, meta: ObjectMeta) -> Entry:
        modified_ns = (meta["last_modified"] - _EPOCH) // timedelta(microseconds=1) * 1000
        name = meta["path"].removeprefix(self._prefix)
        return Entry(name, meta["size"], modified_ns, meta["e_tag"] or str(modified_ns))


class MemoryStorage(ObjectStorage):
    """Objects in the memory of this process, at `memory://name`; for tests."""

    def __init__(self, uri: str, settings: Settings = ()) -> None:
        self.uri = self._bucket = uri.rstrip("/")
        self._prefix, self._settings = "", settings

    def check(self) -> None:
        """Return: memory is always there."""

    def _open(self, patience: Patience = PATIENT) -> ObjectStore:
        del patience
        return _memory(self.uri)


@cache
def _memory(uri: str) -> ObjectStore:
    import obstore.store

    del uri
    return obstore.store.MemoryStore()
