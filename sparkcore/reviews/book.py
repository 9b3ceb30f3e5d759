"""The reviews of a store: one object for each, never changed, and an index of them on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from sparkcore.errors import RequestError
from sparkcore.reviews.index import ReviewIndex, Said
from sparkcore.reviews.review import Entry, Review, State
from sparkcore.runs.store import RunStore
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.interface import Storage

_FOLDER = "reviews"
_SUFFIX = ".json"
_READS_AT_ONCE = 16
_log = logging.getLogger(__name__)


class ReviewBook:
    """Read and add the reviews of a store.

    A review is the creation of one object that did not exist before, so people on several servers lose nothing, and
    nothing is overwritten: what was said stays, and the newest word counts. The reviews of others are seen after
    `sync`.
    """

    def __init__(self, store: RunStore) -> None:
        self._storage: Storage = store.storage
        self._index = ReviewIndex(store.state / "reviews.sqlite")

    def add(self, by: str, entries: Iterable[Entry]) -> str:
        """Keep what somebody says and return the id of the review; raises RequestError where nothing is said."""
        kept = tuple(entry for entry in entries if entry.pictures and entry.change.to_dict())
        if not kept:
            raise RequestError("Expected at least one picture and something to say of it, received nothing.")
        return self._write(Review.now(by, kept))

    def undo(self, by: str, review_id: str) -> str:
        """Take a review back, as a review of its own, and return the id of that one."""
        return self._write(Review.now(by, undoes=review_id))

    def sync(self) -> None:
        """Bring what others have written into the index; damaged objects are left out with a warning."""
        names = [entry.name.rpartition("/")[2] for entry in self._storage.list(_FOLDER)]
        unknown = self._index.unknown([name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)])
        if unknown:
            self._index.add(self._read_all(unknown))

    def states(self) -> dict[str, State]:
        """Return what is said of every picture, by its keys (`pictures.picture_keys`)."""
        return self._index.states()

    def revision(self) -> int:
        """Return a number that grows with every review that this machine knows."""
        return self._index.revision()

    def last(self, by: str) -> str | None:
        """Return the newest review of a person that is not taken back."""
        return self._index.last(by)

    def history(self, keys: Sequence[str]) -> list[Said]:
        """Return everything that was said of one picture, oldest first, also what was taken back."""
        return self._index.history(keys)

    def _write(self, review: Review) -> str:
        self._storage.write_new(_name(review.review_id), review.to_json())
        self._index.add([review])
        return review.review_id

    def _read_all(self, review_ids: Sequence[str]) -> Iterator[Review]:
        contents = map_ahead(partial(_read, self._storage), review_ids, _READS_AT_ONCE)
        for review_id, content in zip(review_ids, contents, strict=True):
            try:
                yield Review.from_json(review_id, content)
            except ValueError as error:
                _log.warning("Left out the review %s: %s", review_id, error)


def _name(review_id: str) -> str:
    return f"{_FOLDER}/{review_id}{_SUFFIX}"


def _read(storage: Storage, review_id: str) -> bytes:
    return storage.read(_name(review_id))
