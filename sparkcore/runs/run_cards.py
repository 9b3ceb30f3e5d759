"""What the list of all runs shows of each, kept on this machine: how many images are correct, and one picture."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore

ANY_REVIEWS = -1  # of a card that no review changes
_WAIT_S = 5.0  # for another process that writes
_SCHEMA = """
CREATE TABLE IF NOT EXISTS cards (
    run_id TEXT, finished_at TEXT, reviews INTEGER NOT NULL, correct INTEGER NOT NULL, judged INTEGER NOT NULL,
    picture BLOB NOT NULL, PRIMARY KEY (run_id, finished_at)
) WITHOUT ROWID
"""

Key = tuple[str, str]  # run id, and when it was finished: a run that was deleted and computed again is another one


@dataclass(frozen=True, slots=True)
class RunCard:
    """Hold how many of the `judged` images of a run are `correct`, and a small JPEG picture (b"" for none).

    `reviews` is the revision of the reviews that were counted, or ANY_REVIEWS.
    """

    correct: int
    judged: int
    picture: bytes = b""
    reviews: int = ANY_REVIEWS


def card_key(manifest: Manifest) -> Key:
    """Return what a card is kept by."""
    return manifest.run_id, manifest.finished_at


def read_cards(store: RunStore, revision: int) -> dict[Key, RunCard]:
    """Return the cards that are true for a revision of the reviews; none where the file cannot be read."""
    path = _path(store)
    if not path.exists():
        return {}
    try:
        with _using(path) as db:
            rows = db.execute(
                "SELECT run_id, finished_at, correct, judged, picture, reviews FROM cards WHERE reviews IN (?, ?)",
                (ANY_REVIEWS, revision),
            ).fetchall()
    except (OSError, sqlite3.Error):
        return {}
    return {(run_id, finished_at): RunCard(*values) for run_id, finished_at, *values in rows}


def keep_cards(store: RunStore, cards: Mapping[Key, RunCard], listed: Iterable[Key]) -> None:
    """Keep cards, and forget those of runs that are not listed; a state folder that is read-only keeps none."""
    values = [(*key, card.reviews, card.correct, card.judged, card.picture) for key, card in cards.items()]
    try:
        _path(store).parent.mkdir(parents=True, exist_ok=True)
        with _using(_path(store)) as db, db:
            db.execute(_SCHEMA)
            db.executemany("INSERT OR REPLACE INTO cards VALUES (?, ?, ?, ?, ?, ?)", values)
            there = {tuple(row) for row in db.execute("SELECT run_id, finished_at FROM cards")}
            db.executemany("DELETE FROM cards WHERE run_id = ? AND finished_at = ?", there - set(listed))
    except (OSError, sqlite3.Error):
        return


def _path(store: RunStore) -> Path:
    return store.state / "cards.sqlite"


@contextmanager
def _using(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=_WAIT_S)) as db:
        yield db
