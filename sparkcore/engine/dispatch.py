"""The Spark jobs of a part: names of files out to the workers, rows back to the driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.config import RunConfig
from sparkcore.engine.classification import Work, worker_function
from sparkcore.engine.reader import only
from sparkcore.engine.rows import worker_schema
from sparkcore.engine.worker import WorkerTask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def classify_files(payloads: DataFrame, origins: list[str], task: WorkerTask) -> pa.Table:
    """Classify these files of `load_payloads` with Spark's reader; files that it could not open have no row."""
    return _collected(only(payloads, origins), worker_function(task), task.config)


def classify_local(spark: SparkSession, origins: list[str], task: WorkerTask, tasks: int) -> pa.Table:
    """Classify files that the workers open themselves, in so many equal tasks at once."""
    tasks = min(tasks, len(origins))
    shares = [origins[number::tasks] for number in range(tasks)]
    work = worker_function(task)

    def open_and_work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return work(pa.record_batch({"origin": shares[n]}) for batch in batches for n in batch["id"].to_pylist())

    return _collected(spark.range(0, tasks, numPartitions=tasks), open_and_work, task.config)


def _collected(images: DataFrame, work: Work, config: RunConfig) -> pa.Table:
    """Return the rows of all workers.

    Each of their batches passes through Spark as one value, Arrow's own bytes: as columns every cell would be
    converted twice on its way through the JVM, which took longer than a quick model.
    """

    def packed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in work(batches):
            # One value holds 2 GB at most, and a picture in full size may have half of that.
            length = 1 if "pixels" in config.keep else len(batch)
            for start in range(0, len(batch), length):
                yield pa.record_batch({"rows": [_to_bytes(batch.slice(start, length))]})

    received = images.mapInArrow(packed, "rows binary").toArrow()
    schema = worker_schema(config)
    tables = [pa.ipc.open_stream(rows.as_buffer()).read_all().cast(schema) for rows in received["rows"]]
    return pa.concat_tables([schema.empty_table(), *tables])


def _to_bytes(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes()
