"""What executors elsewhere are sent, once a session: this package and the frozen model."""

from __future__ import annotations

import os
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sparkcore.engine.spark_jobs import is_remote, workers_are_local
from sparkcore.models.feature_file import features_beside
from sparkcore.models.frozen import FrozenModel
from sparkcore.worker.task import WorkerTask

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PACKAGE_SHIPPED = "spark.sparkcore.shipped"  # in the session, so that each one is sent the package once
_MODEL_SHIPPED = "spark.sparkcore.model"
_PACKAGE = Path(__file__).absolute().parents[1]
_shipping = threading.Lock()  # runs that begin at once share a session
_NOT_FOR_EXECUTORS = {"analysis", "engine", "samples"}  # they import the worker room and what lies below it


def ship_package(spark: SparkSession) -> None:
    """Send this package to the executors unless they have it; they need only its requirements installed."""
    with _shipping:
        if spark.conf.get(PACKAGE_SHIPPED, None):
            return
        with _folder_of(spark) as folder:
            spark.addArtifacts(str(write_package(Path(folder, "sparkcore.zip"))), pyfile=True)
        spark.conf.set(PACKAGE_SHIPPED, "true")


@contextmanager
def _folder_of(spark: SparkSession) -> Iterator[str]:
    """Yield a folder for what is sent: a driver serves it to executors until it ends, and then deletes it."""
    if is_remote(spark):
        with tempfile.TemporaryDirectory(prefix="sparkcore-") as folder:
            yield folder
    else:
        yield str(spark.sparkContext._temp_dir)


def write_package(archive: Path) -> Path:
    """Write what executors import of this package, data files included, as a ZIP that Python imports from."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for path in _files():
            package.write(path, Path(_PACKAGE.name) / path.relative_to(_PACKAGE))
    return archive


def _files() -> Iterator[Path]:
    for path in sorted(_PACKAGE.rglob("*")):
        parts = path.relative_to(_PACKAGE).parts
        if path.is_file() and "__pycache__" not in parts and parts[0] not in _NOT_FOR_EXECUTORS:
            yield path


def ship_model(spark: SparkSession, model: FrozenModel) -> None:
    """Send the graph to executors elsewhere, once a session; local workers open it where it lies."""
    name = f"{_MODEL_SHIPPED}.{model.digest}"
    with _shipping:
        if not workers_are_local(spark) and not spark.conf.get(name, None):
            spark.addArtifacts(*map(str, _files_of(model)), file=True)
            spark.conf.set(name, "true")


def _files_of(model: FrozenModel) -> list[Path]:
    beside = features_beside(model.path)
    return [model.path] if beside is None else [model.path, beside]


def with_local_model() -> Callable[[WorkerTask], WorkerTask]:
    """Return a function that finds the model's file on the executor, and makes a second attempt of a task careful.

    It is a closure because Spark pickles closures by value: executors import the worker room only. What was sent is
    asked for first: the driver's path may lie in a folder that the executor's user must not enter.
    """

    def localize(task: WorkerTask) -> WorkerTask:
        from pyspark import SparkFiles, TaskContext

        context = TaskContext.get()
        if context is not None and context.attemptNumber() > 0:
            task = replace(task, careful=True)
        sent = SparkFiles.get(os.path.basename(task.model.path))
        return replace(task, model=replace(task.model, path=Path(sent))) if os.path.exists(sent) else task

    return localize
