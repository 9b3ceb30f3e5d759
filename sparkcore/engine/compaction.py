"""Compact a run in Spark's tasks, one for each file of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.bucket_job import BucketJob
from sparkcore.runs.files_table import CommittedPart, write_files
from sparkcore.runs.layout import columns_name
from sparkcore.storage.interface import Storage
from sparkcore.worker.compaction import compact, file_groups
from sparkcore.worker.task import REPORT_DDL, reported

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def compact_run(
    spark: SparkSession, storage: Storage, run_id: str, parts: list[CommittedPart], tick: Callable[[], float]
) -> None:
    """Write the columns and the table of files of a run whose buckets are all committed; `tick` as in `BucketJob`."""
    groups = file_groups(parts)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for number in (number for batch in batches for number in batch["id"].to_pylist()):
            yield from reported(lambda: compact(storage, groups[number], columns_name(run_id, number)))  # noqa: B023

    def frame() -> DataFrame:
        return spark.range(0, len(groups), numPartitions=len(groups)).mapInArrow(work, REPORT_DDL)

    BucketJob(spark, frame).run(tick)
    write_files(storage, run_id, parts)
