"""Compute one part of a run, whatever its images do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.assembly import PartRows, assemble, missing_reason, unopened, worker_schema
from sparkcore.engine.classification import classify_files, classify_unnamed
from sparkcore.engine.reader import load_payloads
from sparkcore.engine.worker import WorkerTask
from sparkcore.errors import ImageError, RunFailedError
from sparkcore.origins import local_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_SOLITARY_FAILURES = 20  # more images than this cannot all be to blame


@dataclass(slots=True)
class PartRunner:
    """Hold what all parts of a run share; `compute` may be called from several threads."""

    spark: SparkSession
    roots: tuple[str, ...]
    task: WorkerTask
    _payloads: DataFrame | None = None
    _failures: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def compute(self, files: pa.Table) -> PartRows:
        """Classify listed files; raises RunFailedError when it is not the images that fail."""
        reasons: dict[str, ImageError] = {}
        for origin, size in zip(files["origin"].to_pylist(), files["size_bytes"].to_pylist(), strict=True):
            error = unopened(origin, size)
            if error is not None:
                reasons[origin] = error
        origins = [origin for origin in files["origin"].to_pylist() if origin not in reasons]
        tables = [worker_schema(self.task.config).empty_table(), *self._classified(origins, reasons)]
        classified = pa.concat_tables(tables)
        missing = [o for o in origins if o not in reasons and o not in set(classified["origin"].to_pylist())]
        for origin in missing:
            reasons[origin] = missing_reason(origin, "unreadable", "Spark could not read the file.")
        return assemble(files, classified, reasons, self.task.config)

    def _classified(self, origins: list[str], reasons: dict[str, ImageError]) -> list[pa.Table]:
        """Return the rows of all files that could be opened, by Spark's reader or else by the worker itself."""
        tables = self._attempt(origins, reasons, unnamed=False)
        found = {origin for table in tables for origin in table["origin"].to_pylist()} | set(reasons)
        passed_over = [o for o in origins if o not in found and (path := local_path(o)) and path.exists()]
        return [*tables, *self._attempt(passed_over, reasons, unnamed=True)]

    def _attempt(self, origins: list[str], reasons: dict[str, ImageError], *, unnamed: bool) -> list[pa.Table]:
        """Run one Spark job; when it fails, halve it until the image that breaks it stands alone."""
        if not origins:
            return []
        try:
            return [self._job(origins, unnamed)]
        except Exception as error:
            blame = _first_line(error)
            if _is_everybodys(str(error)):
                raise RunFailedError(f"The workers could not do their part: {blame}") from error
            if len(origins) == 1:
                self._count_failure(blame)
                reasons[origins[0]] = ImageError("internal", f"Spark's job failed on this image: {blame}")
                return []
            half = len(origins) // 2
            return [
                *self._attempt(origins[:half], reasons, unnamed=unnamed),
                *self._attempt(origins[half:], reasons, unnamed=unnamed),
            ]

    def _job(self, origins: list[str], unnamed: bool) -> pa.Table:
        if unnamed:
            return _conform(classify_unnamed(self.spark, origins, self.task), self.task)
        return _conform(classify_files(self._listed(), origins, self.task), self.task)

    def _listed(self) -> DataFrame:
        """Let Spark list the folders once for all parts: a million files would take it seconds each time."""
        with self._lock:
            if self._payloads is None:
                self._payloads = load_payloads(self.spark, self.roots, self.task.config.reader)
            return self._payloads

    def _count_failure(self, blame: str) -> None:
        with self._lock:
            self._failures += 1
            if self._failures > MAX_SOLITARY_FAILURES:
                raise RunFailedError(
                    f"Spark's jobs failed on {self._failures} single images, the last time with: {blame} "
                    "That is not the images' fault: see logs/spark.log in the store."
                )


def _conform(rows: pa.Table, task: WorkerTask) -> pa.Table:
    # Spark's own types differ in small things, for example a list's element name.
    return rows.cast(worker_schema(task.config))


def _is_everybodys(text: str) -> bool:
    """Tell whether an error would come with any image: no model, no TensorFlow, no Spark."""
    signs = ("ModelError", "ModuleNotFoundError", "ImportError", "SparkContext was shut down", "Connection refused")
    return any(sign in text for sign in signs)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "Error" in line and not line.startswith(("at ", "File "))]
    return (telling or lines or [type(error).__name__])[-1 if telling else 0][:500]
