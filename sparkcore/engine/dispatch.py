"""The Spark jobs of a part: file names go to the workers, rows come back to the driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.classification import with_local_model
from sparkcore.engine.reader import only
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.rows import worker_schema
from sparkcore.worker.task import PACKED_DDL, WorkerTask, file_batch, packed, unpacked

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def classify_files(payloads: DataFrame, origins: list[str], task: WorkerTask) -> pa.Table:
    """Classify files that Spark's data source reads; a file that it cannot read has no row."""
    localize = with_local_model()

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return packed(classify_batches(batches, localize(task)), task)

    received = only(payloads, origins).mapInArrow(work, PACKED_DDL).toArrow()
    return unpacked(received, worker_schema(task.config))


def classify_local(spark: SparkSession, sizes: dict[str, int], task: WorkerTask, tasks: int) -> pa.Table:
    """Classify files that the workers read themselves, in `tasks` tasks; `sizes` has their bytes by origin."""
    tasks, files = min(tasks, len(sizes)), list(sizes.items())
    shares = [dict(files[number::tasks]) for number in range(tasks)]
    localize = with_local_model()

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        inputs = (file_batch(shares[number]) for batch in batches for number in batch["id"].to_pylist())
        return packed(classify_batches(inputs, localize(task)), task)

    received = spark.range(0, tasks, numPartitions=tasks).mapInArrow(work, PACKED_DDL).toArrow()
    return unpacked(received, worker_schema(task.config))
