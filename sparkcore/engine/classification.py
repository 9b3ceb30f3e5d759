"""Classify a frame of images: `df -> df`, one stage, no shuffle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.reader import only
from sparkcore.engine.rows import added_fields
from sparkcore.engine.session import is_this_machine, ship_package
from sparkcore.engine.worker import PAYLOADS, WorkerTask, classify_batches
from sparkcore.errors import RequestError
from sparkcore.models.freeze import FrozenModel
from sparkcore.models.weights import resolve_model
from sparkcore.schema import STATUS_EXCLUDED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


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


def classify_files(payloads: DataFrame, origins: list[str], task: WorkerTask) -> pa.Table:
    """Classify these files of `load_payloads` with Spark's reader; files that it could not open have no row."""
    return _mapped(only(payloads, origins), task).toArrow()


def classify_unnamed(spark: SparkSession, origins: list[str], task: WorkerTask) -> pa.Table:
    """Classify local files that Spark's readers pass over; the workers open them themselves."""
    frame = spark.createDataFrame([(origin,) for origin in origins], "origin string")
    return _mapped(frame, task).toArrow()


def _mapped(images: DataFrame, task: WorkerTask) -> DataFrame:
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType

    kept = [field for field in images.schema.fields if field.name not in PAYLOADS]
    added = from_arrow_schema(pa.schema(added_fields(task.config.keep))).fields
    return images.mapInArrow(_worker(task), StructType([*kept, *added]))


def _worker(task: WorkerTask) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        if Path(task.model.path).exists():
            return classify_batches(batches, task)
        from pyspark import SparkFiles

        sent = Path(SparkFiles.get(Path(task.model.path).name))
        return classify_batches(batches, replace(task, model=replace(task.model, path=sent)))

    return work
