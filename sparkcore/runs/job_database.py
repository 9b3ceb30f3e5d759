"""The SQLite file of the job table: transactions for writers, and reads that change nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sparkcore.errors import RunFailedError

_WAIT_S = 30.0  # for another process that writes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY, request TEXT NOT NULL, config TEXT NOT NULL, retry_failed INTEGER NOT NULL,
    state TEXT NOT NULL, phase TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0,
    done_before INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
    run_id TEXT, cancel_requested INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL, started_at REAL, classifying_at REAL, finished_at REAL, heartbeat_at REAL,
    roots TEXT, images INTEGER
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, created_at);
"""


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection inside one transaction; the table is created or upgraded first.

    Raises RunFailedError where the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_connect(str(path))) as db:
            db.executescript(_SCHEMA)
            db.execute("BEGIN IMMEDIATE")
            try:
                _add_missing_columns(db)
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
    except (OSError, sqlite3.Error) as error:
        raise RunFailedError(
            f"Expected to write to the job table {path}, but: {error}. Check its permissions and the free space."
        ) from error


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that only reads; the table is empty where no job was ever submitted.

    It neither waits for a writer's transaction nor needs permission to write. Raises RunFailedError for a file that
    cannot be read.
    """
    try:
        with closing(_connect_for_reading(path)) as db:
            yield db
    except sqlite3.Error as error:
        raise RunFailedError(
            f"Expected to read the job table {path}, but: {error}. Check its permissions, or move the file away."
        ) from error


def _connect_for_reading(path: Path) -> sqlite3.Connection:
    if path.exists():
        db = _connect(f"{path.absolute().as_uri()}?mode=ro")
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone():
            return db
        db.close()  # another process is just creating the table
    db = _connect(":memory:")
    db.executescript(_SCHEMA)
    return db


def _connect(name: str) -> sqlite3.Connection:
    db = sqlite3.connect(name, timeout=_WAIT_S, isolation_level=None, uri=name.startswith("file:"))
    db.row_factory = sqlite3.Row
    return db


def _add_missing_columns(db: sqlite3.Connection) -> None:
    """Upgrade a table of an older version."""
    there = {row["name"] for row in db.execute("PRAGMA table_info(jobs)")}
    for name, kind in (("roots", "TEXT"), ("images", "INTEGER")):
        if name not in there:
            db.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")
