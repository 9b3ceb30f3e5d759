"""The Spark job that computes buckets: bucket numbers go to the tasks, and nothing but errors comes back."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.bucketing import shares
from sparkcore.engine.shipping import with_local_model
from sparkcore.engine.spark_jobs import cancel_jobs, share_fairly, tag_jobs
from sparkcore.worker.bucket import BucketTask
from sparkcore.worker.compute import compute_buckets
from sparkcore.worker.task import REPORT_DDL, raise_reported, reported

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PATIENCE_S = 0.7  # for tasks that stop by themselves, between two batches
_CANCEL_TRIES = 10


@dataclass(slots=True)
class BucketJob:
    """One Spark job in a thread of its own.

    `frame` makes the frame whose rows are what workers report. `stop` is the path of the file that stops its tasks,
    None where they cannot see it.
    """

    spark: SparkSession
    frame: Callable[[], DataFrame]
    stop: str | None = None
    _tag: str = field(default_factory=lambda: f"sparkcore-{uuid.uuid4().hex}")
    _pool: str = field(default_factory=lambda: threading.current_thread().name)  # each place of an engine has a thread

    def run(self, tick: Callable[[], float]) -> None:
        """Carry out the job; raises what a worker reported, what Spark raised, and what `tick` raises.

        `tick` is called again and again; it returns the seconds until it wants to be called again. When it raises, the
        tasks are stopped first, and then cancelled.
        """
        job: Future[pa.Table] = Future()
        # A daemon: a job that Spark does not end must not keep this process alive.
        threading.Thread(target=_settle, args=(job, self._collect), name="spark-job", daemon=True).start()
        try:
            while not _is_done(job, tick()):
                pass
        except BaseException:
            self._stop(job)
            raise
        raise_reported(job.result())

    def stop_tasks(self) -> bool:
        """Let the tasks end after their current batch; tell whether they can be told."""
        if self.stop is not None:
            Path(self.stop).parent.mkdir(parents=True, exist_ok=True)
            Path(self.stop).touch()
        return self.stop is not None

    def _collect(self) -> pa.Table:
        tag_jobs(self.spark, self._tag)
        share_fairly(self.spark, self._pool)
        return self.frame().toArrow()

    def _stop(self, job: Future[pa.Table]) -> None:
        """Stop the tasks, else cancel them; the flag stays only where a task may still be running."""
        is_done = self.stop_tasks() and _is_done(job, _PATIENCE_S)
        tries = 0
        while not is_done and tries < _CANCEL_TRIES:  # the first may come before Spark knows the job
            cancel_jobs(self.spark, self._tag)
            is_done, tries = _is_done(job, _PATIENCE_S), tries + 1
        if is_done and self.stop is not None:
            Path(self.stop).unlink(missing_ok=True)


def bucket_frame(spark: SparkSession, slots: int, task: BucketTask, buckets: list[int]) -> DataFrame:
    """Return the frame that computes buckets whose files the workers open; `slots` tasks run at once."""
    localize, tasks = with_local_model(), shares(buckets, slots)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        numbers = [number for batch in batches for number in batch["id"].to_pylist()]
        own = [bucket for number in numbers for bucket in tasks[number]]
        may_be_last = any(number >= len(tasks) - slots for number in numbers)
        there = replace(task, worker=localize(task.worker))
        return reported(lambda: compute_buckets(own, there, may_be_last=may_be_last))

    return spark.range(0, len(tasks), numPartitions=len(tasks)).mapInArrow(work, REPORT_DDL)


def _is_done(job: Future[pa.Table], within_s: float) -> bool:
    """Wait for the end of a job, whatever its end; tell whether it came in time."""
    with suppress(NotDoneError):
        job.exception(timeout=within_s)
        return True
    return False


def _settle(job: Future[pa.Table], work: Callable[[], pa.Table]) -> None:
    try:
        job.set_result(work())
    except BaseException as error:  # noqa: BLE001 (raised again by whoever waits)
        job.set_exception(error)
