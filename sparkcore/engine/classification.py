"""Classify a frame of images: `df -> df`, one stage, no shuffle."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.rows import added_fields
from sparkcore.engine.session import is_this_machine, ship_package
from sparkcore.engine.worker import PAYLOADS, WorkerTask, classify_batches
from sparkcore.errors import RequestError
from sparkcore.models.freeze import FrozenModel
from sparkcore.models.weights import resolve_model
from sparkcore.schema import STATUS_EXCLUDED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_kept: set[str] = set()  # the models that this worker process has used


def classify(images: DataFrame, config: RunConfig, engine: EngineConfig | None = None) -> DataFrame:
    """Add the columns of a result to a frame of images; nothing is computed before the frame is used.

    `images` has `origin` and the picture, `content` or `image`, as `read_images` gives it; all its other columns
    are kept, the picture is not. Images outside of the filters in `config` are left out; one that cannot be used
    becomes a row with status "error". `config.images` and `config.sample` play no part here.

    Raises RequestError for a frame without these columns or a model that cannot be had.
    """
    payload = [name for name in PAYLOADS if name in images.columns]
    if "origin" not in images.columns or len(payload) != 1:
        raise RequestError(
            f"Expected a frame with the columns origin and one of content, image, received {images.columns}. "
            "Make it with read_images."
        )
    model = start_freezing(resolve_model(config), config.precision).result()
    task = worker_task(images.sparkSession, config, model, engine or EngineConfig())
    return _mapped(images, task).where(f"status <> '{STATUS_EXCLUDED}'").drop("cost")


def worker_task(spark: SparkSession, config: RunConfig, model: FrozenModel, engine: EngineConfig) -> WorkerTask:
    """Return what workers are told, after package and model were sent to those of a cluster."""
    ship_package(spark)
    threads = engine.threads or int(spark.conf.get("spark.task.cpus", None) or 1)
    if not is_this_machine(spark.conf.get("spark.master", None)):
        spark.addArtifacts(str(model.path), file=True)
    return WorkerTask(config, model, engine.batch_size, threads)


def worker_function(task: WorkerTask) -> Work:
    """Return what a Spark worker calls: record batches as `classify_batches` takes and gives them."""

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        path = Path(task.model.path)
        if not path.exists():
            from pyspark import SparkFiles

            path = Path(SparkFiles.get(path.name))
        yield from classify_batches(batches, replace(task, model=replace(task.model, path=path)))
        _spare_the_collector(task.model.digest)

    return work


def _spare_the_collector(model: str) -> None:
    """Take what the first batches with a model have left in memory out of the garbage collector's sight.

    Spark's daemon collects garbage after every task: 0.1 s with TensorFlow's objects, nothing without.
    """
    if model not in _kept:
        _kept.add(model)
        gc.collect()
        gc.freeze()


def _mapped(images: DataFrame, task: WorkerTask) -> DataFrame:
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType

    kept = [field for field in images.schema.fields if field.name not in PAYLOADS]
    added = from_arrow_schema(pa.schema(added_fields(task.config.keep))).fields
    return images.mapInArrow(worker_function(task), StructType([*kept, *added]))
