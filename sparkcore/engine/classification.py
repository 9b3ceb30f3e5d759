"""Classify a frame of images: `df -> df`, one stage, no shuffle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.shipping import ship_model, ship_package, with_local_model
from sparkcore.errors import ConfigError, RequestError
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import choose_runtime
from sparkcore.schema import STATUS_EXCLUDED
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.rows import added_fields
from sparkcore.worker.task import PAYLOADS, WorkerTask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def classify(images: DataFrame, config: RunConfig, engine: EngineConfig | None = None) -> DataFrame:
    """Add the columns of a result to a frame of images; nothing is computed before the frame is used.

    `images` has `origin` and the picture, `content` or `image`, as `read_images` returns it; its other columns are
    kept, the picture is not. Images outside of the size filters are left out; an image that cannot be used becomes a
    row with status "error". `config.images` and `config.sample` are ignored.

    Raises RequestError for a frame without these columns, or with a column that classification adds, and for a model
    that is not available.
    """
    payload = [name for name in PAYLOADS.values() if name in images.columns]
    if "origin" not in images.columns or len(payload) != 1:
        raise RequestError(
            f"Expected a frame with the columns origin and one of content, image, received {images.columns}. "
            "Make it with read_images."
        )
    clashes = sorted({field.name for field in added_fields(config.keep)} & set(images.columns))
    if clashes:
        raise RequestError(f"Expected a frame without the columns that are added, received {clashes}. Rename them.")
    resolved = resolve_model(config)
    computation = choose_runtime(config.precision, only_openvino=resolved.graph is not None)
    if computation.precision == "int8":
        raise ConfigError(
            "precision: int8 is calibrated on the images of a run, not on a frame. Use float32, or `run`."
        )
    model = start_freezing(resolved, computation).result()
    task = worker_task(images.sparkSession, config, model, engine or EngineConfig())
    return _mapped(images, task).where(f"status <> '{STATUS_EXCLUDED}'").drop("cost")


def worker_task(spark: SparkSession, config: RunConfig, model: FrozenModel, engine: EngineConfig) -> WorkerTask:
    """Return the task of the workers, after sending package and model to those of a cluster."""
    ship_package(spark)
    threads = engine.threads or int(spark.conf.get("spark.task.cpus", None) or 1)
    model = replace(model, features=None) if config.features == "none" else model
    ship_model(spark, model)
    return WorkerTask(config, model, engine.batch_size, threads)


def _mapped(images: DataFrame, task: WorkerTask) -> DataFrame:
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType

    localize = with_local_model()

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return classify_batches(batches, localize(task))

    kept = [field for field in images.schema.fields if field.name not in PAYLOADS.values()]
    added = from_arrow_schema(pa.schema(added_fields(task.config.keep))).fields
    return images.mapInArrow(work, StructType([*kept, *added]))
