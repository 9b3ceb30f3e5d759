"""What a session tells of its workers and tasks, and the Spark jobs of one run: tag them, cancel them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sparkcore.engine.masters import is_local_master

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_WAIT_S = 3.0  # Spark starts the tasks of a job with a delay
_ASK_EVERY_S = 1.0
_running: dict[str, int] = {}  # tasks of the operations of Spark Connect that are in progress


def is_remote(spark: SparkSession) -> bool:
    """Tell whether a session is one of Spark Connect, whose driver is elsewhere."""
    from pyspark.sql.utils import is_remote as uses_connect

    return uses_connect() and not hasattr(spark, "_jsparkSession")


def workers_are_local(spark: SparkSession) -> bool:
    """Tell whether the workers share this machine's disk.

    A Connect server is elsewhere, whatever master it has itself.
    """
    return not is_remote(spark) and is_local_master(str(spark.sparkContext.master))


def worker_slots(spark: SparkSession) -> int | None:
    """Return how many tasks run at once, or None for a Spark Connect server, which does not tell."""
    return None if is_remote(spark) else spark.sparkContext.defaultParallelism


def running_tasks(spark: SparkSession) -> int | None:
    """Return how many tasks of this session run now; None where a Spark Connect server has not told yet.

    It is 0 while a job waits for a free executor.
    """
    if is_remote(spark):
        told = list(_running.values())
        return sum(told) if told else None
    tracker = spark.sparkContext.statusTracker()
    # Not from its executors: each costs several calls to the JVM, and there may be hundreds.
    stages = map(tracker.getStageInfo, tracker.getActiveStageIds())
    return sum(stage.numActiveTasks for stage in stages if stage is not None)


class IdleWatch:
    """Tell whether the jobs of a session wait for a free executor."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._has_own_workers = workers_are_local(spark)
        self._busy_at = time.monotonic()
        self._asked_at = 0.0

    def waits(self) -> bool:
        """Tell whether no task has run for some seconds; to be asked again and again while there is a job."""
        now = time.monotonic()
        if self._has_own_workers:
            return False
        if now - self._asked_at >= _ASK_EVERY_S:
            self._asked_at = now
            if running_tasks(self._spark) != 0:
                self._busy_at = now
        return now - self._busy_at > _WAIT_S


def follow_progress(spark: SparkSession) -> None:
    """Keep what a Spark Connect server tells every two seconds of its jobs; `running_tasks` needs it."""
    if is_remote(spark):
        handler: Any = _note_progress  # PySpark's type for it is an abstract class
        spark.registerProgressHandler(handler)


def _note_progress(stages: object, inflight_tasks: int, operation_id: str | None, done: bool) -> None:
    del stages
    if done:
        _running.pop(operation_id or "", None)
    else:
        _running[operation_id or ""] = inflight_tasks


def tag_jobs(spark: SparkSession, tag: str) -> None:
    """Tag the Spark jobs that this thread starts from now on."""
    if is_remote(spark):
        spark.addTag(tag)
    else:
        spark.sparkContext.addJobTag(tag)


def share_fairly(spark: SparkSession, pool: str) -> None:
    """Give the jobs of this thread as many tasks as those of any other pool; a Connect server has its own rule."""
    if not is_remote(spark):
        spark.sparkContext.setLocalProperty("spark.scheduler.pool", pool)


def cancel_jobs(spark: SparkSession, tag: str) -> None:
    """Cancel all Spark jobs with a tag, whichever thread started them.

    A classic session interrupts only the tags of the calling thread, so the jobs are cancelled in the SparkContext.
    """
    if is_remote(spark):
        spark.interruptTag(tag)
    else:
        spark.sparkContext.cancelJobsWithTag(tag)
