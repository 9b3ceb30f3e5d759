"""The engine process: carries out the jobs of a store with a warm Spark session, and quick looks beside a long run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparkcore.config import EngineConfig
from sparkcore.engine.place import Place, Places
from sparkcore.engine.session import start_session, stop_session
from sparkcore.engine.spark_errors import is_alive
from sparkcore.engine.spark_jobs import worker_slots
from sparkcore.errors import SparkcoreError
from sparkcore.runs.engine_lock import announce_stop, sole_engine
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.logs import ENGINE_LOG, SPARK_LOG, bound_log
from sparkcore.runs.store import RunStore

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

IDLE_LIMIT_S = 15 * 60
_POLL_S = 0.05
_LATE_S = 1.0  # between the look for an engine and the end of its stop
_WARM_EVERY_S = 30  # Spark ends a Python worker, and the model in it, after a minute without work

_log = logging.getLogger(__name__)


def serve(engine: EngineConfig, *, idle_limit_s: float = IDLE_LIMIT_S) -> None:
    """Carry out the jobs of a store until none came for `idle_limit_s`, or until SIGTERM or SIGINT.

    Returns at once if another engine serves the store. Raises EngineError where Spark cannot be started; the waiting
    jobs then fail with its message.
    """
    store = RunStore(engine.store, engine.state)
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
        service = _Service(Places(engine, table, spark), store)
        service.serve_until_idle(idle_limit_s)
    if service.places.is_spark_lost or service.has_late_jobs():
        _log.info("starting over")
        os.execv(sys.executable, [sys.executable, "-m", "sparkcore", *sys.argv[1:]])
    stop_session(spark)


@dataclass(slots=True)
class _Service:
    places: Places
    store: RunStore
    stopped_at: float = 0.0

    def serve_until_idle(self, idle_limit_s: float) -> None:
        """Carry out jobs until idle, until stopped, or until Spark is lost."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        places = [Place(self.places, is_quick=is_quick) for is_quick in (False, True)]
        threads = [threading.Thread(target=place.serve, name=place.name) for place in places]
        for thread in threads:
            thread.start()
        try:
            self._wait_until_idle(idle_limit_s)
            self.stopped_at = time.time()
            announce_stop(self.store)
        finally:  # else an engine that nobody knows of would go on to take jobs
            self.places.stopping.set()
            for thread in threads:
                thread.join()

    def _wait_until_idle(self, idle_limit_s: float) -> None:
        idle_since = warmed = time.monotonic()
        while not self.places.stopping.is_set() and time.monotonic() - idle_since < idle_limit_s:
            if self.places.is_busy:
                idle_since = warmed = time.monotonic()
            elif time.monotonic() - warmed > _WARM_EVERY_S:
                if not _keep_warm(self.places.spark):
                    _log.warning("Spark has ended while it had nothing to do; so does the engine, until the next job")
                    return
                warmed = time.monotonic()
            for log in (ENGINE_LOG, SPARK_LOG):
                bound_log(self.store.state / "logs" / log)
            time.sleep(_POLL_S)

    def has_late_jobs(self) -> bool:
        """Tell whether jobs were submitted so late that this engine still seemed to take them."""
        jobs = self.places.table.jobs()
        untouched = [job for job in jobs if job.state == "queued" and job.started_at is None]
        return any(job.created_at > self.stopped_at - _LATE_S for job in untouched)

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        self.places.stopping.set()


def _keep_warm(spark: SparkSession) -> bool:
    """Give every worker something to do; tell whether Spark is still there."""

    def linger(batches: Iterator[Any]) -> Iterator[Any]:  # a closure: executors elsewhere have no engine to import
        time.sleep(0.2)  # so long that every worker gets a task
        yield from batches

    try:
        slots = worker_slots(spark) or 1
        spark.range(0, slots, 1, slots).mapInArrow(linger, "id long").toArrow()
    except Exception:  # noqa: BLE001 (whatever it is, Spark is lost only where it does not answer)
        return is_alive(spark)
    return True
