"""The job table: one row a request, shared by every program that uses a store."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkcore.config import RunConfig
from sparkcore.errors import RunNotFoundError
from sparkcore.runs.identity import digest

ACTIVE = ("queued", "running")
HEARTBEAT_S = 2.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY, request TEXT NOT NULL, config TEXT NOT NULL, retry_failed INTEGER NOT NULL,
    state TEXT NOT NULL, phase TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0,
    done_before INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
    run_id TEXT, cancel_requested INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL, started_at REAL, classifying_at REAL, finished_at REAL, heartbeat_at REAL,
    roots TEXT
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, created_at);
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One request and how far it is; times are seconds since the epoch.

    `state` is queued, running, complete, cached, failed or cancelled; `done` and `total` count images, `errors`
    the unreadable ones among `done`, `done_before` those that were there before anything was computed. Only files
    below `roots` are read (None: any).
    """

    job_id: str
    request: str
    config: RunConfig
    retry_failed: bool
    state: str
    phase: str
    done: int
    done_before: int
    total: int
    errors: int
    message: str
    run_id: str | None
    cancel_requested: bool
    created_at: float
    started_at: float | None
    classifying_at: float | None
    finished_at: float | None
    heartbeat_at: float | None
    roots: tuple[Path, ...] | None = None

    @property
    def active(self) -> bool:
        """Tell whether the job waits or runs."""
        return self.state in ACTIVE

    def images_per_second(self, now: float | None = None) -> float | None:
        """Return the mean speed since the first image, or None while it is not known."""
        computed = self.done - self.done_before
        if not self.classifying_at or computed <= 0:
            return None
        end = self.finished_at or now or time.time()
        return computed / max(end - self.classifying_at, 1e-3)

    def eta_s(self, now: float | None = None) -> float | None:
        """Return the seconds that the rest takes at the mean speed, or None while it is not known."""
        speed = self.images_per_second(now)
        return (self.total - self.done) / speed if speed and self.state == "running" else None


class JobTable:
    """The jobs of one store; every method is one transaction, so any process may call any of them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def submit(self, config: RunConfig, *, retry_failed: bool = False, roots: Sequence[Path] | None = None) -> Job:
        """Add a job, or return the one that waits or runs already for the same request."""
        allowed = None if roots is None else json.dumps([os.fspath(root) for root in roots])
        request = digest([config.to_dict(), retry_failed, allowed])
        with self._transaction() as db:
            row = db.execute(
                "SELECT * FROM jobs WHERE request = ? AND state IN ('queued', 'running') AND cancel_requested = 0",
                (request,),
            ).fetchone()
            if row:
                return _job(row)
            job_id = uuid.uuid4().hex[:12]
            db.execute(
                "INSERT INTO jobs (job_id, request, config, retry_failed, state, created_at, roots) "
                "VALUES (?, ?, ?, ?, 'queued', ?, ?)",
                (job_id, request, json.dumps(config.to_dict()), int(retry_failed), time.time(), allowed),
            )
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return one job; raises RunNotFoundError."""
        with self._transaction() as db:
            row = db.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        if row is None:
            raise RunNotFoundError(f"Expected the id of a job in {self.path}, received {job_id!r}.")
        return _job(row)

    def jobs(self, limit: int = 100) -> list[Job]:
        """Return the newest jobs, newest first."""
        with self._transaction() as db:
            rows = db.execute("SELECT * FROM jobs ORDER BY created_at DESC, rowid DESC LIMIT ?", (limit,)).fetchall()
        return [_job(row) for row in rows]

    def claim(self) -> Job | None:
        """Take the oldest waiting job and mark it as running."""
        with self._transaction() as db:
            row = db.execute("SELECT job_id FROM jobs WHERE state = 'queued' ORDER BY created_at, rowid").fetchone()
            if row is None:
                return None
            now = time.time()
            db.execute(
                "UPDATE jobs SET state = 'running', phase = 'starting', started_at = ?, heartbeat_at = ? "
                "WHERE job_id = ?",
                (now, now, row["job_id"]),
            )
        return self.get(row["job_id"])

    def report(self, job_id: str, **values: Any) -> None:
        """Write phase, done, total or errors of a running job, and that its engine lives."""
        self._update(job_id, {**values, "heartbeat_at": time.time()})

    def finish(self, job_id: str, state: str, *, run_id: str | None = None, message: str = "") -> None:
        """End a job; `message` says why it failed."""
        values = {"state": state, "run_id": run_id, "message": message, "finished_at": time.time()}
        self._update(job_id, {**values, "phase": state})

    def request_cancel(self, job_id: str) -> Job:
        """Ask for a job's end: at once when it waits, before its next part when it runs."""
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 'cancelled', phase = 'cancelled', finished_at = ? "
                "WHERE job_id = ? AND state = 'queued'",
                (time.time(), job_id),
            )
            db.execute("UPDATE jobs SET cancel_requested = 1 WHERE job_id = ? AND state = 'running'", (job_id,))
        return self.get(job_id)

    def beat(self, job_id: str) -> Job:
        """Write that the job's engine lives, and return the job."""
        self.report(job_id)
        return self.get(job_id)

    def put_back(self, job_id: str) -> None:
        """Let a running job wait again: its engine leaves."""
        self._update(job_id, {"state": "queued", "phase": ""})

    def requeue_orphans(self) -> int:
        """Put back what a dead engine was running; only the one living engine of a store calls this."""
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 'cancelled', phase = 'cancelled', finished_at = ? "
                "WHERE state = 'running' AND cancel_requested = 1",
                (time.time(),),
            )
            return db.execute("UPDATE jobs SET state = 'queued', phase = '' WHERE state = 'running'").rowcount

    def _update(self, job_id: str, values: dict[str, Any]) -> None:
        # Column names come from this program alone, values go in as parameters.
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._transaction() as db:
            db.execute(f"UPDATE jobs SET {columns} WHERE job_id = ?", (*values.values(), job_id))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.executescript(_SCHEMA)
            db.execute("BEGIN IMMEDIATE")
            _add_missing_columns(db)
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        finally:
            db.close()


def _add_missing_columns(db: sqlite3.Connection) -> None:
    """Bring a table of version 0.1.0 up to date."""
    if "roots" not in {row["name"] for row in db.execute("PRAGMA table_info(jobs)")}:
        db.execute("ALTER TABLE jobs ADD COLUMN roots TEXT")


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    values["config"] = RunConfig.from_dict(json.loads(values["config"]))
    for name in ("retry_failed", "cancel_requested"):
        values[name] = bool(values[name])
    if values["roots"] is not None:
        values["roots"] = tuple(map(Path, json.loads(values["roots"])))
    return Job(**values)
