"""Spark jobs in threads: their errors, their cancellation, and what they leave alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.errors import PySparkException

from sparkcore.engine.bucket_job import BucketJob
from sparkcore.errors import ModelError, RunCancelledError
from sparkcore.worker.task import REPORT_DDL, reported
from tests.conftest import wait_until

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def frame(spark: SparkSession, work: Work) -> Callable[[], DataFrame]:
    return lambda: spark.range(0, 2, numPartitions=2).mapInArrow(work, REPORT_DDL)


def tick() -> float:
    return 0.05


def test_what_a_worker_reports_is_raised_as_what_it_is(spark: SparkSession) -> None:
    def refuse() -> None:
        raise ModelError("no such graph")

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        list(batches)
        return reported(refuse)

    with pytest.raises(ModelError, match="no such graph"):
        BucketJob(spark, frame(spark, work)).run(tick)


def test_a_failed_job_raises_what_spark_says(spark: SparkSession) -> None:
    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        raise ValueError(f"broken: {len(list(batches))}")
        yield

    with pytest.raises(PySparkException, match="broken"):
        BucketJob(spark, frame(spark, work)).run(tick)


@pytest.mark.parametrize("can_be_told", [True, False])
def test_cancelling_ends_the_tasks_and_no_job_of_others(
    spark: SparkSession, tmp_path: Path, *, can_be_told: bool
) -> None:
    stop, started, ended = tmp_path / "stops" / "stop", tmp_path / "started", tmp_path / "ended"

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            started.touch()
            for _ in range(1200):
                if stop.exists():
                    ended.touch()
                    return
                time.sleep(0.05)
            yield pa.record_batch({"failure": pa.nulls(len(batch), pa.binary())})

    def cancel() -> float:
        if started.exists():
            raise RunCancelledError("enough")
        return 0.05

    others: list[Any] = []

    def linger(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            time.sleep(1)
            yield batch

    thread = threading.Thread(
        target=lambda: others.append(spark.range(0, 1, numPartitions=1).mapInArrow(linger, "id long").toArrow())
    )
    thread.start()
    with pytest.raises(RunCancelledError):
        BucketJob(spark, frame(spark, work), str(stop) if can_be_told else None).run(cancel)
    assert ended.exists() is can_be_told
    thread.join(60)
    assert others[0].num_rows == 1
    wait_until(lambda: not spark.sparkContext.statusTracker().getActiveJobsIds())


def test_jobs_of_different_threads_are_in_different_pools(spark: SparkSession) -> None:
    seen: list[str | None] = []

    def note() -> DataFrame:
        seen.append(spark.sparkContext.getLocalProperty("spark.scheduler.pool"))
        return spark.range(0).selectExpr("CAST(NULL AS BINARY) AS failure")

    for name in ("place-any", "place-quick"):
        thread = threading.Thread(target=lambda: BucketJob(spark, note).run(tick), name=name)
        thread.start()
        thread.join(60)
    assert seen == ["place-any", "place-quick"]
