"""A task that computes nothing: it writes made-up rows, as fast as part files and receipts can be written.

Executors do not have this package, so that what runs there is pickled by value.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparkcore.engine.bucketing import shares
from sparkcore.schema import image_id, result_schema
from sparkcore.worker import compute
from sparkcore.worker.bucket import BucketTask
from sparkcore.worker.rows import COST_FIELD
from sparkcore.worker.task import REPORT_DDL, WorkerTask, reported

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_VALUES: dict[str, Any] = {
    "format": "JPEG", "mode": "RGB", "width": 500, "height": 375, "channels": 3, "status": "ok",
    "class_id": "n00000007", "label": "made up", "score": 0.75, "margin": 0.5, "entropy": 0.4,
    "top": [{"class_id": "n00000007", "label": "made up", "score": 0.75}],
}  # fmt: skip


def made_up_frame(
    spark: SparkSession, slots: int, task: BucketTask, buckets: list[int], *, thumbnail_bytes: int
) -> DataFrame:
    """Return a frame as `engine.bucket_job.bucket_frame` does, whose tasks make rows up in the place of the model."""
    from pyspark import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    tasks = shares(buckets, slots)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        compute.classify_batches = partial(made_up_batches, thumbnail_bytes)
        numbers = [number for batch in batches for number in batch["id"].to_pylist()]
        own = [bucket for number in numbers for bucket in tasks[number]]
        return reported(lambda: compute.compute_buckets(own, task))

    return spark.range(0, len(tasks), numPartitions=len(tasks)).mapInArrow(work, REPORT_DDL)


def made_up_batches(
    thumbnail_bytes: int, batches: Iterable[pa.RecordBatch], task: WorkerTask
) -> Generator[pa.RecordBatch]:
    """Yield a result row for each listed file, in the place of `worker.loop.classify_batches`."""
    thumbnail = os.urandom(thumbnail_bytes)
    for batch in batches:
        yield _rows(batch, {**_VALUES, "thumbnail": thumbnail}, result_schema(task.config.keep))


def _rows(batch: pa.RecordBatch, values: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    origins = batch["origin"].to_pylist()
    known = {"image_id": map(image_id, origins), "file_name": (origin.rpartition("/")[2] for origin in origins)}

    def column(field: pa.Field) -> pa.Array:
        if field.name in batch.schema.names:
            return batch[field.name]
        return pa.array(known.get(field.name, [values.get(field.name)] * len(origins)), field.type)

    costs = pa.array([dict.fromkeys((kind.name for kind in COST_FIELD.type), 0.0)] * len(origins), COST_FIELD.type)
    return pa.RecordBatch.from_arrays([*map(column, schema), costs], schema=pa.schema([*schema, COST_FIELD]))
