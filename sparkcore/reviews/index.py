"""The index of all reviews on this machine: SQLite, made of the store's objects and never the only copy."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sparkcore.errors import RunFailedError
from sparkcore.reviews.review import Answer, Change, Review, State

_WAIT_S = 30.0  # for another process that writes
_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS reviews (
    id TEXT PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, undoes TEXT NOT NULL, is_live INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS undoing ON reviews (undoes) WHERE undoes <> '';
CREATE TABLE IF NOT EXISTS changes (
    key TEXT NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL, change TEXT NOT NULL, PRIMARY KEY (key, id, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS changes_of_a_review ON changes (id);
CREATE TABLE IF NOT EXISTS states (
    key TEXT PRIMARY KEY, kind TEXT, label TEXT, class_id TEXT, star INTEGER NOT NULL, tags TEXT NOT NULL,
    note TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""  # the version last: who sees it sees the tables


@dataclass(frozen=True, slots=True)
class Said:
    """Hold one line of a picture's history."""

    review_id: str
    at: str
    by: str
    change: Change
    is_undone: bool


class ReviewIndex:
    """Read and write one file; each method is one transaction, so any process may call it.

    All methods raise RunFailedError where the file cannot be used. Reading creates no file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def unknown(self, review_ids: Sequence[str]) -> list[str]:
        """Return those of the reviews that are not in the index, sorted."""
        if not review_ids or not self.path.exists():
            return sorted(review_ids)
        with self._using() as db:
            known = {row[0] for row in db.execute("SELECT id FROM reviews")}
        return sorted(set(review_ids) - known)

    def add(self, reviews: Iterable[Review]) -> None:
        """Add reviews in any order; one that is there already changes nothing."""
        with self._using() as db, _transaction(db):
            keys: set[str] = set()
            for review in reviews:
                if _insert(db, review):
                    keys |= _affected(db, review.review_id)
            for key in keys:
                _write_state(db, key)

    def states(self) -> dict[str, State]:
        """Return what is said of every picture by its key."""
        if not self.path.exists():
            return {}
        with self._using() as db:
            rows = db.execute("SELECT key, kind, label, class_id, star, tags, note, by, at FROM states").fetchall()
        return {key: _state(values) for key, *values in rows}

    def revision(self) -> int:
        """Return a number that grows with every review."""
        if not self.path.exists():
            return 0
        with self._using() as db:
            return int(db.execute("SELECT count(*) FROM reviews").fetchone()[0])

    def last(self, by: str) -> str | None:
        """Return the newest review of a person that can be taken back."""
        with self._using() as db:
            row = db.execute(
                "SELECT id FROM reviews WHERE by = ? AND undoes = '' AND is_live ORDER BY at DESC, id DESC LIMIT 1",
                (by,),
            ).fetchone()
        return row and str(row[0])

    def history(self, keys: Sequence[str]) -> list[Said]:
        """Return everything that was said of one picture, oldest first."""
        if not self.path.exists():
            return []
        marks = ", ".join("?" * len(keys))
        with self._using() as db:
            rows = db.execute(
                "SELECT DISTINCT r.id, r.at, r.by, c.change, r.is_live FROM changes c JOIN reviews r USING (id) "
                f"WHERE c.key IN ({marks}) ORDER BY r.at, r.id, c.place",
                list(keys),
            ).fetchall()
        return [Said(row[0], row[1], row[2], Change.from_dict(json.loads(row[3])), not row[4]) for row in rows]

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)) as db:
                if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                    db.executescript(_SCHEMA)
                yield db
        except (OSError, sqlite3.Error) as error:
            raise RunFailedError(
                f"Expected to use the index of reviews {self.path}, but: {error}. Check its permissions and the free "
                "space; the file may be deleted, and is then made again."
            ) from error


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _insert(db: sqlite3.Connection, review: Review) -> bool:
    """Add a review; tell whether it was new."""
    added = db.execute(
        "INSERT OR IGNORE INTO reviews (id, at, by, undoes) VALUES (?, ?, ?, ?)",
        (review.review_id, review.at, review.by, review.undoes),
    ).rowcount
    if added:
        changes = [
            (key, review.review_id, place, json.dumps(entry.change.to_dict()))
            for place, entry in enumerate(review.entries)
            for picture in entry.pictures
            for key in picture.keys
        ]
        db.executemany("INSERT OR IGNORE INTO changes (key, id, place, change) VALUES (?, ?, ?, ?)", changes)
    return bool(added)


def _affected(db: sqlite3.Connection, review_id: str) -> set[str]:
    """Settle which reviews count after a new one, and return the keys of the pictures that it may change.

    A review counts unless one that counts takes it back, also where that one arrived first.
    """
    keys: set[str] = set()
    current, seen = review_id, set[str]()
    while current and current not in seen:
        seen.add(current)
        undone = db.execute("SELECT 1 FROM reviews WHERE undoes = ? AND is_live", (current,)).fetchone()
        db.execute("UPDATE reviews SET is_live = ? WHERE id = ?", (int(undone is None), current))
        keys |= {row[0] for row in db.execute("SELECT key FROM changes WHERE id = ?", (current,))}
        row = db.execute("SELECT undoes FROM reviews WHERE id = ?", (current,)).fetchone()
        current = row[0] if row else ""
    return keys


def _write_state(db: sqlite3.Connection, key: str) -> None:
    rows = db.execute(
        "SELECT c.change, r.by, r.at FROM changes c JOIN reviews r USING (id) WHERE c.key = ? AND r.is_live "
        "ORDER BY r.at, r.id, c.place",
        (key,),
    )
    state = State()
    for change, by, at in rows.fetchall():
        state = state.changed(Change.from_dict(json.loads(change)), by, at)
    if state.is_empty:
        db.execute("DELETE FROM states WHERE key = ?", (key,))
        return
    answer = state.answer
    values = (answer.kind, answer.label, answer.class_id) if answer else (None, None, None)
    db.execute(
        "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (key, *values, int(state.star), json.dumps(state.tags), state.note, state.by, state.at),
    )


def _state(values: list[str | int | None]) -> State:
    kind, label, class_id, star, tags, note, by, at = values
    answer = Answer(str(kind), str(label), str(class_id)) if kind else None
    return State(answer, bool(star), tuple(json.loads(str(tags))), str(note), str(by), str(at))
