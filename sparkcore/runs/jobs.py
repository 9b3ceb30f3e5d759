"""The job table: one row per request, shared by all programs that use a store."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkcore.config import RunConfig
from sparkcore.errors import ConfigError, RunFailedError, RunNotFoundError, first_line
from sparkcore.origins import has_password, without_password
from sparkcore.roots import Root
from sparkcore.runs.identity import digest
from sparkcore.runs.job_database import reading, writing

ACTIVE = ("queued", "running")
HEARTBEAT_S = 2.0

_log = logging.getLogger(__name__)


class _DamagedJobError(RunFailedError):
    """A row of the table is no job of this version."""


@dataclass(frozen=True, slots=True)
class Job:
    """Hold one request and its progress; times are seconds since the epoch.

    `state` is queued, running, complete, cached, failed or cancelled. `done` and `total` count images, `errors` the
    unreadable ones among `done`, and `done_before` those that existed before this job computed anything. Only files
    below `roots` are read (None: any file). `images` is their number, if it was found too large for a quick look.
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
    roots: tuple[Root, ...] | None = None
    images: int | None = None

    @property
    def active(self) -> bool:
        """Tell whether the job is queued or running."""
        return self.state in ACTIVE

    def images_per_second(self, now: float | None = None) -> float | None:
        """Return the mean speed since the first image, or None while it is unknown."""
        computed, end = self.done - self.done_before, self.finished_at or now or time.time()
        if not self.classifying_at or computed <= 0 or end < self.classifying_at:  # a clock may be set back
            return None
        return computed / max(end - self.classifying_at, 1e-3)

    def eta_s(self, now: float | None = None) -> float | None:
        """Return the remaining time in seconds at the mean speed, or None while it is unknown or the job is ending."""
        speed = None if self.cancel_requested else self.images_per_second(now)
        return (self.total - self.done) / speed if speed and self.state == "running" else None


_CANCEL = "UPDATE jobs SET state = 'cancelled', phase = 'cancelled', finished_at = ? WHERE job_id = ?"


class JobTable:
    """Read and write the jobs of one store; each method is one transaction, so any process may call it.

    All methods raise RunFailedError where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def submit(self, config: RunConfig, *, retry_failed: bool = False, roots: Sequence[Root] | None = None) -> Job:
        """Add a job, or return the active one with the same request; raises ConfigError for a password in it."""
        if has_password(config.images):
            raise ConfigError(
                f"images: expected an address without a password, received {without_password(config.images)!r} with "
                "one, and jobs are kept on disk. Start this run from the shell, with `sparkcore run`."
            )
        allowed = None if roots is None else json.dumps([os.fspath(root) for root in roots])
        request = digest([config.to_dict(), retry_failed, allowed])
        with writing(self.path) as db:
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
        """Return one job; raises RunNotFoundError, or RunFailedError for a damaged row."""
        with reading(self.path) as db:
            row = db.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        if row is None:
            raise RunNotFoundError(f"Expected the id of a job in {self.path}, received {job_id!r}.")
        return _job(row)

    def jobs(self, limit: int = 100) -> list[Job]:
        """Return the `limit` newest jobs, newest first; damaged rows are left out with a warning."""
        with reading(self.path) as db:
            rows = db.execute("SELECT * FROM jobs ORDER BY rowid DESC LIMIT ?", (limit,)).fetchall()
        return list(_readable_jobs(rows))

    def images(self) -> list[str]:
        """Return what all jobs read, each once; damaged rows say nothing."""
        with reading(self.path) as db:
            rows = db.execute(
                "SELECT DISTINCT json_extract(config, '$.images') AS images FROM jobs WHERE json_valid(config)"
            ).fetchall()
        return [row["images"] for row in rows if isinstance(row["images"], str)]

    def claim(self, most_images: int | None = None) -> Job | None:
        """Mark the oldest queued job as running and return it; damaged rows are marked as failed.

        With `most_images`, jobs that are known to have more are passed over.
        """
        while (job_id := self._start_oldest(most_images)) is not None:
            try:
                return self.get(job_id)
            except _DamagedJobError as error:
                self.finish(job_id, "failed", message=str(error))
        return None

    def report(self, job_id: str, **values: Any) -> None:
        """Update columns of a running job, and its heartbeat."""
        self._update(job_id, {**values, "heartbeat_at": time.time()})

    def finish(self, job_id: str, state: str, *, run_id: str | None = None, message: str = "") -> None:
        """End a job in `state`; `message` is the reason of a failure."""
        values = {"state": state, "run_id": run_id, "message": message, "finished_at": time.time()}
        self._update(job_id, {**values, "phase": state})

    def request_cancel(self, job_id: str) -> Job:
        """Cancel a job: at once if it is queued, before its next part if it is running."""
        with writing(self.path) as db:
            db.execute(f"{_CANCEL} AND state = 'queued'", (time.time(), job_id))
            db.execute("UPDATE jobs SET cancel_requested = 1 WHERE job_id = ? AND state = 'running'", (job_id,))
        return self.get(job_id)

    def end_cancelled(self, job_id: str) -> Job:
        """End a job whose cancellation was requested, and whose engine is gone."""
        with writing(self.path) as db:
            db.execute(f"{_CANCEL} AND state = 'running' AND cancel_requested = 1", (time.time(), job_id))
        return self.get(job_id)

    def put_back(self, job_id: str, *, images: int | None = None, message: str = "") -> None:
        """Return a running job to the queue: its engine stops, or it has too many `images` for a quick look.

        `message` says what it waits for.
        """
        with writing(self.path) as db:
            db.execute(
                "UPDATE jobs SET state = 'queued', phase = '', images = coalesce(?, images), message = ? "
                "WHERE job_id = ?",
                (images, message, job_id),
            )
            db.execute(
                "UPDATE jobs SET state = 'cancelled', phase = 'cancelled', finished_at = ? "
                "WHERE job_id = ? AND cancel_requested = 1",
                (time.time(), job_id),
            )

    def requeue_orphans(self) -> int:
        """Return the running jobs of a dead engine to the queue; only the store's one live engine calls this."""
        with writing(self.path) as db:
            db.execute(
                "UPDATE jobs SET state = 'cancelled', phase = 'cancelled', finished_at = ? "
                "WHERE state = 'running' AND cancel_requested = 1",
                (time.time(),),
            )
            return db.execute("UPDATE jobs SET state = 'queued', phase = '' WHERE state = 'running'").rowcount

    def _start_oldest(self, most_images: int | None) -> str | None:
        with writing(self.path) as db:
            row = db.execute(
                "SELECT job_id FROM jobs WHERE state = 'queued' AND (? IS NULL OR images IS NULL OR images <= ?) "
                "ORDER BY rowid",
                (most_images, most_images),
            ).fetchone()
            if row is None:
                return None
            now = time.time()
            db.execute(
                "UPDATE jobs SET state = 'running', phase = 'starting', started_at = ?, heartbeat_at = ? "
                "WHERE job_id = ?",
                (now, now, row["job_id"]),
            )
        return str(row["job_id"])

    def _update(self, job_id: str, values: dict[str, Any]) -> None:
        # Column names come from this program only; values are bound as parameters.
        columns = ", ".join(f"{name} = ?" for name in values)
        with writing(self.path) as db:
            db.execute(f"UPDATE jobs SET {columns} WHERE job_id = ?", (*values.values(), job_id))


def _readable_jobs(rows: list[sqlite3.Row]) -> Iterator[Job]:
    for row in rows:
        try:
            yield _job(row)
        except _DamagedJobError as error:
            _log.warning("Left out a job: %s", error)


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    try:
        values["config"] = RunConfig.from_dict(json.loads(values["config"]))
        for name in ("retry_failed", "cancel_requested"):
            values[name] = bool(values[name])
        if values.get("roots") is not None:  # a table of version 0.1.0 has no such column
            values["roots"] = tuple(root if "://" in root else Path(root) for root in json.loads(values["roots"]))
        return Job(**values)
    except (ConfigError, AttributeError, TypeError, ValueError) as error:
        raise _DamagedJobError(
            f"Expected a job of this version, received {row['job_id']}: {first_line(error)}. Submit it again."
        ) from error
