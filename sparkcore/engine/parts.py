"""Compute one part of a run and isolate an image that breaks its Spark job."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.assembly import PartRows, assemble
from sparkcore.engine.dispatch import classify_files, classify_local
from sparkcore.engine.reader import load_payloads
from sparkcore.engine.session import cancel_jobs, tag_jobs, workers_are_local
from sparkcore.engine.spark_errors import is_alive, reason, to_sparkcore_error
from sparkcore.errors import EngineError, ImageError, RequestError, RunCancelledError, RunFailedError, SparkcoreError
from sparkcore.origins import is_local, local_path
from sparkcore.worker.opening import missing_reason, unopened
from sparkcore.worker.rows import worker_schema
from sparkcore.worker.task import WorkerTask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_SOLITARY_FAILURES = 20  # with more, the images are not the cause


@dataclass(slots=True)
class PartRunner:
    """Compute the parts of a run; `compute` may be called from several threads.

    `spark_paths` is what Spark loads where it reads the files, `tasks` the number of tasks that run at once.
    """

    spark: SparkSession
    spark_paths: tuple[str, ...]
    task: WorkerTask
    tasks: int
    _payloads: DataFrame | None = None
    _failures: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _tag: str = field(default_factory=lambda: f"sparkcore-{uuid.uuid4().hex}")

    def stop(self) -> None:
        """Cancel the jobs of this run alone, and let no part start another."""
        self._stopping.set()
        cancel_jobs(self.spark, self._tag)

    def compute(self, files: pa.Table) -> PartRows:
        """Classify listed files.

        Raises RunFailedError where the images are not the cause of a failure, RunCancelledError after `stop`.
        """
        reasons: dict[str, ImageError] = {}
        sizes: dict[str, int] = {}
        for origin, size in zip(files["origin"].to_pylist(), files["size_bytes"].to_pylist(), strict=True):
            error = unopened(origin, size)
            if error is None:
                sizes[origin] = size
            else:
                reasons[origin] = error
        tables = [worker_schema(self.task.config).empty_table(), *self._classified(sizes, reasons)]
        classified = pa.concat_tables(tables)
        found = {*reasons, *classified["origin"].to_pylist()}
        for origin in (o for o in sizes if o not in found):
            reasons[origin] = missing_reason(origin, "unreadable", "Spark could not read the file.")
        return assemble(files, classified, reasons, self.task.config)

    def _classified(self, sizes: dict[str, int], reasons: dict[str, ImageError]) -> list[pa.Table]:
        """Return the rows of all files that can be read, by Spark's data source or else by the workers."""
        if self._workers_can_open():
            return self._attempt(sizes, reasons, by_spark=False)
        tables = self._attempt(sizes, reasons, by_spark=True)
        found = {origin for table in tables for origin in table["origin"].to_pylist()} | set(reasons)
        passed_over = {o: n for o, n in sizes.items() if o not in found and (path := local_path(o)) and path.exists()}
        return [*tables, *self._attempt(passed_over, reasons, by_spark=False)]

    def _workers_can_open(self) -> bool:
        """Tell whether the workers can read the files themselves, without the JVM."""
        if self.task.storage is not None:
            return True
        readable = self.task.config.reader == "bytes" and all(map(is_local, self.spark_paths))
        return readable and workers_are_local(self.spark)

    def _attempt(self, sizes: dict[str, int], reasons: dict[str, ImageError], *, by_spark: bool) -> list[pa.Table]:
        """Run one Spark job; if it fails, bisect it until the image that breaks it is alone."""
        if not sizes:
            return []
        try:
            return [self._job(sizes, by_spark)]
        except SparkcoreError:
            raise
        except Exception as error:  # noqa: BLE001 (of Spark, mapped below)
            self._raise_if_systemic(error)
            files = list(sizes.items())
            if len(files) == 1:
                self._count_failure(reason(error))
                reasons[files[0][0]] = ImageError("internal", f"Spark's job failed on this image: {reason(error)}")
                return []
            half = len(files) // 2
            return [
                *self._attempt(dict(files[:half]), reasons, by_spark=by_spark),
                *self._attempt(dict(files[half:]), reasons, by_spark=by_spark),
            ]

    def _raise_if_systemic(self, error: Exception) -> None:
        """Raise where the error would hit any image: the run was stopped, Spark refuses the request, or is lost."""
        if self._stopping.is_set():
            raise RunCancelledError("The run was stopped.") from error
        mapped = to_sparkcore_error(error)
        if isinstance(mapped, RequestError):
            raise mapped from error
        if isinstance(mapped, EngineError) or not is_alive(self.spark):
            raise EngineError(f"The connection to Spark was lost: {mapped}") from error

    def _job(self, sizes: dict[str, int], by_spark: bool) -> pa.Table:
        if self._stopping.is_set():
            raise RunCancelledError("The run was stopped.")
        tag_jobs(self.spark, self._tag)
        if by_spark:
            return classify_files(self._listed(), list(sizes), self.task)
        return classify_local(self.spark, sizes, self.task, self.tasks)

    def _listed(self) -> DataFrame:
        """Let Spark list the folders once for all parts: a million files take it seconds each time."""
        with self._lock:
            if self._payloads is None:
                self._payloads = load_payloads(self.spark, self.spark_paths, self.task.config.reader)
            return self._payloads

    def _count_failure(self, blame: str) -> None:
        with self._lock:
            self._failures += 1
            if self._failures > MAX_SOLITARY_FAILURES:
                raise RunFailedError(
                    f"Spark's jobs failed on {self._failures} single images, the last time with: {blame} "
                    "The images are not the cause: see logs/spark.log in the store."
                )
