"""A finished run as a frame of Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.config import EngineConfig
from sparkcore.engine.shipping import ship_package
from sparkcore.runs.parts import read_columns, stored_parts, without_excluded
from sparkcore.runs.store import RunStore
from sparkcore.schema import result_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_BATCH_ROWS = 64  # with thumbnails, and pictures where the run has kept them


def read_run(spark: SparkSession, run: str = "latest", store: Path | str | None = None) -> DataFrame:
    """Return all rows of a finished run with their thumbnails, one partition for each part file.

    `run` is an id, the first characters of one, or "latest", `store` the path or URI of the store (None:
    SPARKCORE_STORE, else ./runs-store), which executors must reach; Hadoop is not involved. Columns are those of
    `schema.result_schema`, null where an older version has not written them.

    Raises RunNotFoundError unless exactly one run matches.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    engine = EngineConfig.from_environment(store=store)
    opened = RunStore(engine.store, engine.state)
    manifest = opened.find(run)
    storage, parts = opened.storage, stored_parts(opened.storage, manifest.run_id, manifest)
    schema = result_schema(tuple(manifest.config["keep"]))

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for number in (number for batch in batches for number in batch["id"].to_pylist()):
            yield from without_excluded(read_columns(storage, parts[number], schema.names)).to_batches(_BATCH_ROWS)

    ship_package(spark)
    tasks = max(len(parts), 1)
    return spark.range(0, len(parts), numPartitions=tasks).mapInArrow(read, from_arrow_schema(schema))
