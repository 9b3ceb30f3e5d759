"""The engine process: carries out the jobs of a store, one at a time, with a warm Spark session."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sparkcore.config import EngineConfig
from sparkcore.engine.pipeline import run
from sparkcore.engine.session import start_session
from sparkcore.engine.spark_errors import is_alive
from sparkcore.engine.spark_jobs import worker_slots
from sparkcore.errors import RunCancelledError, SparkcoreError, first_line
from sparkcore.progress import Step, Watch
from sparkcore.runs.engine_lock import sole_engine
from sparkcore.runs.jobs import HEARTBEAT_S, Job, JobTable
from sparkcore.runs.store import RunStore

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

IDLE_LIMIT_S = 15 * 60
_POLL_S = 0.05
_WARM_EVERY_S = 30  # Spark ends a Python worker, and the model in it, after a minute without work

_log = logging.getLogger(__name__)


class _EngineStoppedError(RunCancelledError):
    """The engine was stopped: its job waits for the next engine."""


def serve(engine: EngineConfig, *, idle_limit_s: float = IDLE_LIMIT_S) -> None:
    """Carry out the jobs of a store until none came for `idle_limit_s`, or until SIGTERM or SIGINT.

    Returns at once if another engine serves the store. Raises EngineError where Spark cannot be started; the waiting
    jobs then fail with its message.
    """
    store = RunStore(engine.store)
    with sole_engine(store) as is_sole:
        if not is_sole:
            _log.info("another engine serves %s", engine.store)
            return
        store.sweep()
        table = JobTable(store.jobs_path)
        table.requeue_orphans()
        try:
            spark = start_session(engine)
        except SparkcoreError as error:
            while (job := table.claim()) is not None:
                table.finish(job.job_id, "failed", message=str(error))
            raise
        _log.info("ready, store %s", engine.store)
        healthy = _Loop(engine, table, spark).until_idle(idle_limit_s)
    if not healthy:
        _log.error("Spark is lost: starting over")
        os.execv(sys.executable, [sys.executable, "-m", "sparkcore", *sys.argv[1:]])
    spark.stop()


@dataclass(slots=True)
class _Loop:
    engine: EngineConfig
    table: JobTable
    spark: SparkSession
    stopping: bool = False

    def until_idle(self, idle_limit_s: float) -> bool:
        """Carry out jobs until idle or stopped; tell whether Spark is still alive."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        idle_since = warmed = time.monotonic()
        while not self.stopping and time.monotonic() - idle_since < idle_limit_s:
            job = self.table.claim()
            if job is not None:
                if not self._carry_out(job):
                    return False
                idle_since = warmed = time.monotonic()
            elif time.monotonic() - warmed > _WARM_EVERY_S:
                _keep_warm(self.spark)
                warmed = time.monotonic()
            else:
                time.sleep(_POLL_S)
        return True

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        self.stopping = True

    def _carry_out(self, job: Job) -> bool:
        """Carry out one job, whatever its end; tell whether Spark survived it."""
        _log.info("job %s: %s", job.job_id, job.config)
        reporter = _Reporter(self, job)
        try:
            outcome = run(job.config, self.engine, watch=reporter.watch, retry_failed=job.retry_failed, roots=job.roots)
        except _EngineStoppedError:
            self.table.put_back(job.job_id)
        except RunCancelledError:
            self.table.finish(job.job_id, "cancelled", message="Cancelled; finished images are kept.")
        except SparkcoreError as error:
            _log.warning("job %s failed: %s", job.job_id, error)
            self.table.finish(job.job_id, "failed", message=str(error))
        except Exception as error:  # noqa: BLE001 (one bad job must not end the engine)
            _log.exception("job %s failed", job.job_id)
            message = f"Unexpected {type(error).__name__}: {first_line(error)[:300]} See logs/engine.log."
            self.table.finish(job.job_id, "failed", message=message)
        else:
            counts = outcome.manifest.counts
            self.table.report(job.job_id, done=counts["images"], total=counts["images"], errors=counts["errors"])
            self.table.finish(job.job_id, outcome.status, run_id=outcome.manifest.run_id)
            return True
        return is_alive(self.spark)


@dataclass(slots=True)
class _Reporter:
    """Write progress to the job table and read cancellation from it."""

    loop: _Loop
    job: Job
    _told: Step | None = None
    _checked: float = 0.0
    _started_classifying: bool = field(default=False)

    @property
    def watch(self) -> Watch:
        return Watch(self.progress, self.check)

    def progress(self, step: Step) -> None:
        if step == self._told:
            return
        self._told = step
        if step.unit == "bytes":  # the table counts images
            size = f"{step.done / 1e6:,.0f} of {step.total / 1e6:,.0f} MB"
            self.loop.table.report(self.job.job_id, phase=f"{step.phase}, {size}")
            return
        values: dict[str, Any] = {name: getattr(step, name) for name in ("phase", "done", "total", "errors")}
        if step.phase == "classifying" and not self._started_classifying:
            self._started_classifying = True
            values |= {"classifying_at": time.time(), "done_before": step.done}
        self.loop.table.report(self.job.job_id, **values)

    def check(self) -> None:
        if self.loop.stopping:
            raise _EngineStoppedError("The engine was stopped.")
        if time.monotonic() - self._checked < HEARTBEAT_S / 4:
            return
        self._checked = time.monotonic()
        if self.loop.table.beat(self.job.job_id).cancel_requested:
            raise RunCancelledError("The run was cancelled.")


def _keep_warm(spark: SparkSession) -> None:
    slots = worker_slots(spark) or 1
    spark.range(0, slots, 1, slots).mapInArrow(_linger, "id long").toArrow()


def _linger(batches: Iterator[Any]) -> Iterator[Any]:
    time.sleep(0.2)  # so long that every worker gets a task
    yield from batches
