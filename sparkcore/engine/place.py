"""The two places of an engine: one for any job, one for quick looks, which do not wait behind a long run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sparkcore.config import EngineConfig
from sparkcore.engine.pipeline import Outcome, run
from sparkcore.engine.spark_errors import is_alive
from sparkcore.errors import RunCancelledError, RunFailedError, SparkcoreError, first_line
from sparkcore.progress import Step, Watch
from sparkcore.runs.jobs import HEARTBEAT_S, Job, JobTable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

QUICK_IMAGES = 500
_POLL_S = 0.05
_LOOK_EVERY_S = 0.2  # for a cancellation: reading is cheap, a heartbeat is a write
_RETRY_S = 1.0
_SPARK_LOST = "Spark ended unexpectedly. The job goes on with a new one."

_log = logging.getLogger(__name__)


class _EngineStoppedError(RunCancelledError):
    """The engine was stopped: its job waits for the next engine."""


class _NotQuickError(RunCancelledError):
    """The job has too many images for the quick place."""

    def __init__(self, images: int) -> None:
        super().__init__(f"{images:,} images are no quick look.")
        self.images = images


@dataclass(slots=True)
class Places:
    """What the places of an engine share."""

    engine: EngineConfig
    table: JobTable
    spark: SparkSession
    stopping: threading.Event = field(default_factory=threading.Event)
    is_spark_lost: bool = False
    quick_look: threading.Event = field(default_factory=threading.Event)
    _busy: set[str] = field(default_factory=set)

    @property
    def is_busy(self) -> bool:
        """Tell whether a job is carried out."""
        return bool(self._busy)

    @property
    def is_full(self) -> bool:
        """Tell whether the place for any job is taken."""
        return "any" in self._busy

    def occupy(self, place: str) -> None:
        """Note that a place carries out a job."""
        self._busy.add(place)

    def leave(self, place: str) -> None:
        """Note that a place is free."""
        self._busy.discard(place)


@dataclass(slots=True)
class Place:
    """Carry out one job at a time, in a thread of its own; the quick place takes small jobs while the other is busy."""

    places: Places
    is_quick: bool

    @property
    def name(self) -> str:
        """Return which place it is."""
        return "quick" if self.is_quick else "any"

    def serve(self) -> None:
        """Carry out jobs until the engine stops."""
        while not self.places.stopping.is_set():
            job = self._claim() if not self.is_quick or self.places.is_full else None
            if job is None:
                time.sleep(_POLL_S)
                continue
            self.places.occupy(self.name)
            try:
                self._carry_out(job)
            finally:
                if self.is_quick:
                    self.places.quick_look.clear()
                self.places.leave(self.name)

    def _claim(self) -> Job | None:
        try:
            return self.places.table.claim(QUICK_IMAGES if self.is_quick else None)
        except RunFailedError as error:
            _log.warning("no job can be claimed: %s", error)
            self.places.stopping.wait(_RETRY_S)
            return None

    def _write(self, change: Callable[..., None], job: Job, *values: str, **named: Any) -> None:
        """Write the end of a job into the table, again and again where the disk is full."""
        while True:
            try:
                return change(job.job_id, *values, **named)
            except RunFailedError as error:
                _log.warning("the end of job %s is not written yet: %s", job.job_id, error)
                if self.places.stopping.wait(_RETRY_S):
                    return None  # the next engine takes the job again

    def _carry_out(self, job: Job) -> None:
        """Carry out one job, whatever its end."""
        _log.info("job %s: %s", job.job_id, job.config)
        table = self.places.table
        try:
            outcome = self._run(job)
        except _EngineStoppedError:
            self._write(table.put_back, job)
        except _NotQuickError as error:
            self._write(table.put_back, job, images=error.images)
        except RunCancelledError:
            self._write(table.finish, job, "cancelled", message="Cancelled; finished images are kept.")
        except SparkcoreError as error:
            _log.warning("job %s failed: %s", job.job_id, error)
            self._fail(job, str(error))
        except Exception as error:  # noqa: BLE001 (one bad job must not end the engine)
            _log.exception("job %s failed", job.job_id)
            self._fail(job, f"Unexpected {type(error).__name__}: {first_line(error)[:300]} See logs/engine.log.")
        else:
            counts = outcome.manifest.counts
            sums = {"done": counts["images"], "total": counts["images"], "errors": counts["errors"]}
            self._write(table.report, job, **sums)
            self._write(table.finish, job, outcome.status, run_id=outcome.manifest.run_id)

    def _fail(self, job: Job, message: str) -> None:
        """End a job as failed; the first time that Spark is lost under it, it waits for the next Spark."""
        table, is_lost = self.places.table, not is_alive(self.places.spark)
        if is_lost and job.message != _SPARK_LOST:
            self._write(table.put_back, job, message=_SPARK_LOST)
        else:
            self._write(table.finish, job, "failed", message=message)
        if is_lost:
            self.places.is_spark_lost = True
            self.places.stopping.set()

    def _run(self, job: Job) -> Outcome:
        reporter = _Reporter(self, job)
        return run(job.config, self.places.engine, watch=reporter.watch, retry_failed=job.retry_failed, roots=job.roots)


@dataclass(slots=True)
class _Reporter:
    """Write progress to the job table and read cancellation from it."""

    place: Place
    job: Job
    _told: Step | None = None
    _checked: float = 0.0
    _beaten: float = 0.0
    _started_classifying: bool = field(default=False)

    @property
    def watch(self) -> Watch:
        return Watch(self.progress, self.check, self.listed, self.must_pause)

    def progress(self, step: Step) -> None:
        if step == self._told:
            return
        self._told = step
        table = self.place.places.table
        if step.unit == "bytes":  # the table counts images
            size = f"{step.done / 1e6:,.0f} of {step.total / 1e6:,.0f} MB"
            table.report(self.job.job_id, phase=f"{step.phase}, {size}")
            return
        values: dict[str, Any] = {name: getattr(step, name) for name in ("phase", "done", "total", "errors")}
        if step.phase == "classifying" and not self._started_classifying:
            self._started_classifying = True
            values |= {"classifying_at": time.time(), "done_before": step.done}
        table.report(self.job.job_id, **values)

    def check(self) -> None:
        if self.place.places.stopping.is_set():
            raise _EngineStoppedError("The engine was stopped.")
        now, table = time.monotonic(), self.place.places.table
        if now - self._checked < _LOOK_EVERY_S:
            return
        self._checked = now
        if now - self._beaten >= HEARTBEAT_S / 4:
            self._beaten = now
            table.report(self.job.job_id)
        if table.get(self.job.job_id).cancel_requested:
            raise RunCancelledError("The run was cancelled.")

    def listed(self, images: int) -> None:
        """Refuse a job that is too large for the quick place; let the long run give way to one that is not."""
        if not self.place.is_quick:
            return
        if images > QUICK_IMAGES:
            raise _NotQuickError(images)
        self.place.places.quick_look.set()

    def must_pause(self) -> bool:
        return not self.place.is_quick and self.place.places.quick_look.is_set()
