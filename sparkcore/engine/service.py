"""The engine process: carries out the jobs of a store with a warm Spark session, and quick looks beside a long run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sparkcore.config import EngineConfig
from sparkcore.engine.place import Place, Places
from sparkcore.engine.session import start_session
from sparkcore.engine.spark_jobs import worker_slots
from sparkcore.errors import SparkcoreError
from sparkcore.runs.engine_lock import sole_engine
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.store import RunStore

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

IDLE_LIMIT_S = 15 * 60
_POLL_S = 0.05
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
        is_healthy = _Service(Places(engine, table, spark)).until_idle(idle_limit_s)
    if not is_healthy:
        _log.error("Spark is lost: starting over")
        os.execv(sys.executable, [sys.executable, "-m", "sparkcore", *sys.argv[1:]])
    spark.stop()


@dataclass(slots=True)
class _Service:
    places: Places
    threads: list[threading.Thread] = field(default_factory=list)

    def until_idle(self, idle_limit_s: float) -> bool:
        """Carry out jobs until idle or stopped; tell whether Spark is still alive."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for is_quick in (False, True):
            place = Place(self.places, is_quick=is_quick)
            self.threads.append(threading.Thread(target=place.serve, name=f"place-{'quick' if is_quick else 'any'}"))
        for thread in self.threads:
            thread.start()
        idle_since = warmed = time.monotonic()
        while not self.places.stopping.is_set() and time.monotonic() - idle_since < idle_limit_s:
            if self.places.is_busy:
                idle_since = warmed = time.monotonic()
            elif time.monotonic() - warmed > _WARM_EVERY_S:
                _keep_warm(self.places.spark)
                warmed = time.monotonic()
            time.sleep(_POLL_S)
        self.places.stopping.set()
        for thread in self.threads:
            thread.join()
        return not self.places.is_spark_lost

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        self.places.stopping.set()


def _keep_warm(spark: SparkSession) -> None:
    slots = worker_slots(spark) or 1
    spark.range(0, slots, 1, slots).mapInArrow(_linger, "id long").toArrow()


def _linger(batches: Iterator[Any]) -> Iterator[Any]:
    time.sleep(0.2)  # so long that every worker gets a task
    yield from batches
