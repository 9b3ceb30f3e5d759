"""What every storage can do."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from sparkcore.errors import NoAnswerError, StorageError

_CREATION_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_UNANSWERED_CREATIONS = 2
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its name below the storage's URI, and what tells whether it has changed.

    `modified_ns` is in nanoseconds since the epoch. `version` is the entity tag where the storage has one, else the
    modification time as text.
    """

    name: str
    size_bytes: int
    modified_ns: int
    version: str


FolderContent = tuple[list[str], list[Entry]]


class Storage(ABC):
    """Objects below a URI, by names with "/" between their segments.

    An object is whole or absent: nobody sees one that is half written. A storage can be pickled; it carries no
    secrets, so the other end needs credentials of its own.

    Every operation raises ValueError for an invalid name, FileNotFoundError where there is no such object, and
    StorageError where the storage cannot be reached or refuses.
    """

    uri: str

    @abstractmethod
    def check(self) -> None:
        """Raise StorageError, within ten seconds, unless the storage can be listed now."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Yield the objects below a folder, at any depth and in no particular order, as they arrive."""

    @abstractmethod
    def list_folder(self, prefix: str = "") -> FolderContent:
        """Return the names of the folders directly in a folder, and the objects there, both in the order of names.

        An object store knows no empty folders.
        """

    @abstractmethod
    def stat(self, name: str) -> Entry:
        """Return what a listing would say of one object."""

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""
        try:
            self.stat(name)
        except FileNotFoundError:
            return False
        return True

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the content of an object."""

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`, or fewer where the object ends.

        Raises StorageError for a start beyond the end.
        """
        if start < 0 or length < 1:
            raise ValueError(f"Expected start >= 0 and length >= 1, received {start} and {length}.")
        return self._read_range(name, start, length)

    @abstractmethod
    def open_reader(self, name: str, size_bytes: int | None = None) -> BinaryIO:
        """Open an object as a seekable file to read; a known size spares an object store one request."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write an object; it replaces one of the same name."""

    @abstractmethod
    def open_writer(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Give a seekable file whose content replaces the object at the end of the block, unless that raises."""

    def write_new(self, name: str, content: bytes) -> bool:
        """Create an object that must not exist yet; tell whether it now has this content.

        Of several writers with different contents one gets True. A writer that meets its own content, as after a
        repeated request, gets True too. Raises StorageError for a storage that cannot create exclusively.
        """
        unanswered = 0
        for pause_s in _CREATION_PAUSES_S:
            try:
                if self._create(name, content):
                    return True
            except NoAnswerError:
                unanswered += 1  # it may have been carried out: then the next request meets its own content
                if unanswered > _UNANSWERED_CREATIONS:
                    raise
                continue
            try:
                return self.read(name) == content
            except FileNotFoundError:
                time.sleep(pause_s)  # refused because of another writer, which has not finished or has failed
        raise StorageError(f"{self.uri}: {name!r} can be neither created nor read. Try again.")

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is no error."""

    @abstractmethod
    def _read_range(self, name: str, start: int, length: int) -> bytes: ...

    @abstractmethod
    def _create(self, name: str, content: bytes) -> bool:
        """Create an object in one step; tell whether it was created."""


def checked_name(name: str) -> str:
    """Return a name that every storage can hold; raises ValueError for any other."""
    if _CONTROL_CHARACTERS.search(name) or not all(part.strip(".") or len(part) > 2 for part in name.split("/")):
        raise ValueError(
            f"Expected a name without control characters, '.', '..' and empty segments, received {name!r}."
        )
    return name
