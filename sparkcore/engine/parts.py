"""Compute one part of a run, whatever its images do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.assembly import PartRows, assemble
from sparkcore.engine.dispatch import classify_files, classify_local
from sparkcore.engine.listing import is_local
from sparkcore.engine.opening import missing_reason, unopened
from sparkcore.engine.reader import load_payloads
from sparkcore.engine.rows import worker_schema
from sparkcore.engine.session import is_this_machine
from sparkcore.engine.worker import WorkerTask
from sparkcore.errors import ImageError, RunFailedError
from sparkcore.origins import local_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_SOLITARY_FAILURES = 20  # more images than this cannot all be to blame


@dataclass(slots=True)
class PartRunner:
    """Hold what all parts of a run share; `compute` may be called from several threads.

    `tasks` is how many of them Spark runs at once.
    """

    spark: SparkSession
    roots: tuple[str, ...]
    task: WorkerTask
    tasks: int
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
        found = {*reasons, *classified["origin"].to_pylist()}
        for origin in (o for o in origins if o not in found):
            reasons[origin] = missing_reason(origin, "unreadable", "Spark could not read the file.")
        return assemble(files, classified, reasons, self.task.config)

    def _classified(self, origins: list[str], reasons: dict[str, ImageError]) -> list[pa.Table]:
        """Return the rows of all files that could be opened, by Spark's reader or else by the worker itself."""
        if self._workers_can_open():
            return self._attempt(origins, reasons, by_spark=False)
        tables = self._attempt(origins, reasons, by_spark=True)
        found = {origin for table in tables for origin in table["origin"].to_pylist()} | set(reasons)
        passed_over = [o for o in origins if o not in found and (path := local_path(o)) and path.exists()]
        return [*tables, *self._attempt(passed_over, reasons, by_spark=False)]

    def _workers_can_open(self) -> bool:
        """Tell whether bytes need not pass through the JVM: files of the machine on which the workers are."""
        here = is_this_machine(self.spark.conf.get("spark.master", None))
        return here and self.task.config.reader == "bytes" and all(map(is_local, self.roots))

    def _attempt(self, origins: list[str], reasons: dict[str, ImageError], *, by_spark: bool) -> list[pa.Table]:
        """Run one Spark job; when it fails, halve it until the image that breaks it stands alone."""
        if not origins:
            return []
        try:
            return [self._job(origins, by_spark)]
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
                *self._attempt(origins[:half], reasons, by_spark=by_spark),
                *self._attempt(origins[half:], reasons, by_spark=by_spark),
            ]

    def _job(self, origins: list[str], by_spark: bool) -> pa.Table:
        if by_spark:
            return classify_files(self._listed(), origins, self.task)
        return classify_local(self.spark, origins, self.task, self.tasks)

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


def _is_everybodys(text: str) -> bool:
    """Tell whether an error would come with any image: no model, no TensorFlow, no Spark."""
    signs = ("ModelError", "ModuleNotFoundError", "ImportError", "SparkContext was shut down", "Connection refused")
    return any(sign in text for sign in signs)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    last_frame = max((number for number, line in enumerate(lines) if line.startswith('  File "')), default=None)
    if last_frame is not None:
        lines = [line for line in lines[last_frame:] if not line.startswith(" ")] or lines
        return lines[0].strip()[:500]
    lines = [line.strip() for line in lines if line.strip()]
    telling = [line for line in lines if "Error" in line and not line.startswith("at ")]
    return (telling or lines or [type(error).__name__])[-1 if telling else 0][:500]
