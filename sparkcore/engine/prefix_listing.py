"""List large prefixes of an object store, several folders at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from queue import Empty, Full, Queue
from threading import Event

from sparkcore.background import in_background
from sparkcore.storage.interface import Entry, Storage

_PAGE = 1000  # as many as a store returns at once
_AT_ONCE = 8
_MOST_FOLDERS_IN_PAGE = 4  # a request for each of smaller folders would take longer than all their pages
_WAITING_PAGES = 32
_POLL_S = 0.1


def list_prefix(storage: Storage, prefix: str, check: Callable[[], None] = lambda: None) -> Iterator[Entry]:
    """Yield the objects below a prefix, in no particular order, but an object `a` before those of `a/`.

    A store answers a page at a time, so folders of many objects are listed at once. Of a folder that is divided in this
    way, the objects directly in it are in memory together. `check` is called while the store is silent, and ends the
    listing by raising: nobody waits for the answers on their way. Raises StorageError.
    """
    listing, waiting, running = _Listing(storage), [prefix], 0
    try:
        while waiting or running:
            while waiting and running < _AT_ONCE:
                in_background(partial(listing.work, waiting.pop()), "listing")
                running += 1
            arrived = listing.next(check)
            if isinstance(arrived, _Finished):
                running -= 1
                waiting.extend(arrived.folders())
            else:
                yield from arrived
    finally:
        listing.stopped.set()


@dataclass(frozen=True, slots=True)
class _Finished:
    """The end of a folder: those in it that are left to list, or why it cannot be listed."""

    left: list[str]
    error: Exception | None = None

    def folders(self) -> list[str]:
        if self.error is not None:
            raise self.error
        return self.left


@dataclass(frozen=True, slots=True)
class _Listing:
    """What the threads of a listing share: pages and finished folders arrive, until it is stopped."""

    storage: Storage
    arrived: Queue[list[Entry] | _Finished] = field(default_factory=lambda: Queue(_WAITING_PAGES))
    stopped: Event = field(default_factory=Event)

    def next(self, check: Callable[[], None]) -> list[Entry] | _Finished:
        """Wait for what arrives next."""
        while True:
            with suppress(Empty):
                return self.arrived.get(timeout=_POLL_S)
            check()

    def work(self, prefix: str, check: Callable[[], None]) -> None:
        """List a folder in a thread. Only threads add: the reader would wait for itself when the queue is full."""
        del check
        try:
            self.add(_Finished(self.folder(prefix)))
        except Exception as error:  # noqa: BLE001 (raised again by the reader)
            self.add(_Finished([], error))

    def folder(self, prefix: str) -> list[str]:
        """List a folder, or only what is directly in it; return the folders that are left to list."""
        found = self.storage.list(prefix)
        page = list(islice(found, _PAGE))
        if len(page) == _PAGE and _has_large_folders(page, prefix):
            folders, entries = self.storage.list_folder(prefix)
            self.add(entries)
            return folders
        while page and not self.stopped.is_set():
            self.add(page)
            page = list(islice(found, _PAGE))
        return []

    def add(self, arrived: list[Entry] | _Finished) -> None:
        while not self.stopped.is_set():
            with suppress(Full):
                self.arrived.put(arrived, timeout=_POLL_S)
                return


def _has_large_folders(page: list[Entry], prefix: str) -> bool:
    start = len(prefix) + 1 if prefix else 0
    folders = {name.partition("/")[0] for name in (entry.name[start:] for entry in page) if "/" in name}
    return 0 < len(folders) <= _MOST_FOLDERS_IN_PAGE
