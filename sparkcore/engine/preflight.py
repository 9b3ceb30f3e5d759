"""What would fail for every image is found before the first: a store or an executor that is not fit for the run."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.shipping import with_local_model
from sparkcore.engine.spark_jobs import workers_are_local
from sparkcore.errors import EngineError
from sparkcore.models.predictor import load_predictor
from sparkcore.origins import absolute_path, is_local
from sparkcore.roots import expand_braces, fixed_folder
from sparkcore.storage.interface import Storage
from sparkcore.storage.probe import check_exclusive
from sparkcore.worker.compute import check_root
from sparkcore.worker.task import REPORT_DDL, WorkerTask, raise_reported, reported

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_checked: set[tuple[str, ...]] = set()  # what was found to be in order in this process


def check_store(storage: Storage) -> None:
    """Raise StorageError unless the store can be written, and creates an object at most once; asked once a process."""
    if (storage.uri,) not in _checked:
        check_exclusive(storage)
        _checked.add((storage.uri,))


def input_root(images: str) -> str | None:
    """Return the local path that executors must see, or None for images that are not on a file system of theirs."""
    if not is_local(images):
        return None
    path = absolute_path(images)
    if path.exists():
        return os.fspath(path)
    return os.fspath(fixed_folder(expand_braces(os.fspath(path))[0]))


def executor_check(
    spark: SparkSession, task: WorkerTask, store: Storage, root: str | None
) -> Callable[[], None] | None:
    """Return the check of an executor as one task, or None where there is nothing to ask.

    Asked once for each session, model, place of images, and store. The check raises EngineError or StorageError, with
    what to do.
    """
    images = root or (task.storage.uri if task.storage else "")
    key = (str(id(spark)), task.model.digest, images, store.uri)
    if workers_are_local(spark) or key in _checked:
        return None

    def check() -> None:
        probe = f"probes/{uuid.uuid4().hex}"
        try:
            _ask(spark, task, store, root, probe)
            if not _has(store, probe):
                raise EngineError(
                    f"Expected a store that the driver and all executors share, but what an executor wrote to "
                    f"{store.uri} is not here. Use an object store, or a shared folder at the same path everywhere."
                )
        finally:
            store.delete(probe)
        _checked.add(key)

    return check


def _ask(spark: SparkSession, task: WorkerTask, store: Storage, root: str | None, probe: str) -> None:
    localize = with_local_model()

    def examine() -> None:
        check_root(root)
        if task.storage is not None:
            task.storage.check()
        store.write(probe, platform.node().encode())
        load_predictor(localize(task).model, task.threads)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield from reported(examine)

    raise_reported(spark.range(0, 1, numPartitions=1).mapInArrow(work, REPORT_DDL).toArrow())


def _has(store: Storage, name: str) -> bool:
    try:
        store.stat(name)
    except FileNotFoundError:
        return False
    return True
