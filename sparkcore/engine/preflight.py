"""What would fail for every image is found before the first: a store or an executor that is not fit for the run."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.bucket_job import BucketJob
from sparkcore.engine.listing import Listing
from sparkcore.engine.shipping import with_local_model
from sparkcore.engine.spark_jobs import workers_are_local
from sparkcore.models.predictor import load_predictor
from sparkcore.origins import absolute_path, is_local, list_file, local_path
from sparkcore.roots import expand_braces, fixed_folder
from sparkcore.storage.interface import Storage
from sparkcore.storage.probe import check_exclusive, check_shared
from sparkcore.worker.bucket import BucketTask
from sparkcore.worker.compute import check_readable
from sparkcore.worker.opening import LocalImages
from sparkcore.worker.task import REPORT_DDL, reported

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LOOKED_FOR = 16
_CHECKED = "spark.sparkcore.checked"  # in the session: another one may have other executors
_checked: set[str] = set()  # stores that were found to be in order in this process


def check_store(storage: Storage) -> None:
    """Raise StorageError unless the store can be written, and creates an object at most once; asked once a process."""
    if storage.uri not in _checked:
        check_exclusive(storage)
        _checked.add(storage.uri)


def local_images(images: str, listing: Listing) -> LocalImages | None:
    """Return what executors must see of local images, or None for images that are not on a file system of theirs."""
    if not is_local(images):
        return None
    path = absolute_path(images)
    root = path if path.exists() else fixed_folder(expand_braces(os.fspath(path))[0])
    first = next(listing.pieces(), None)
    origins = first["origin"].slice(0, _LOOKED_FOR).to_pylist() if first is not None else []
    found = [os.fspath(file) for file in map(local_path, origins) if file is not None and os.path.lexists(file)]
    if list_file(images) is not None:  # executors need the files, not the list
        if not found:
            return None
        root = Path(found[0]).parent
    return LocalImages(os.fspath(root), tuple(found))


def check_executor(spark: SparkSession, task: BucketTask, tick: Callable[[], float]) -> None:
    """Let one Spark task find out whether executors can do their part; local workers are not asked.

    Asked once for each session, model, place of images, and store; `tick` as in `BucketJob`. Raises EngineError or
    StorageError, with what to do.
    """
    worker, store = task.worker, task.store
    images = task.images.root if task.images else (worker.storage.uri if worker.storage else "")
    key = hashlib.sha256("\n".join((worker.model.digest, images, store.uri)).encode()).hexdigest()
    name = f"{_CHECKED}.{key}"
    if workers_are_local(spark) or spark.conf.get(name, None):
        return
    probe = f"probes/{uuid.uuid4().hex}"
    store.write(probe, b"driver")
    try:
        BucketJob(spark, lambda: _frame(spark, task, probe)).run(tick)
    finally:
        store.delete(probe)
    spark.conf.set(name, "true")


def _frame(spark: SparkSession, task: BucketTask, probe: str) -> DataFrame:
    localize = with_local_model()

    def examine() -> None:
        if task.images is not None:
            task.images.check()
        if task.worker.storage is not None:
            check_readable(task, task.worker.storage)
        check_shared(task.store, probe)
        load_predictor(localize(task.worker).model, task.worker.threads)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield from reported(examine)

    return spark.range(0, 1, numPartitions=1).mapInArrow(work, REPORT_DDL)
