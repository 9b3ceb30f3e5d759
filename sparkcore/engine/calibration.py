"""The calibration of a precision below float32: found in the store, or made on images of the run."""

from __future__ import annotations

import hashlib
import heapq
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.background import result_of
from sparkcore.engine.elsewhere import call_elsewhere
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.listing import Listing
from sparkcore.engine.preflight import check_store
from sparkcore.engine.reader import load_payloads, only
from sparkcore.engine.request import Request
from sparkcore.engine.source_job import is_read_by_spark
from sparkcore.errors import ConfigError, EngineError, RunFailedError
from sparkcore.models.quantization import check_quantizer
from sparkcore.models.runtimes.choice import processor
from sparkcore.origins import origin_of
from sparkcore.progress import Step, Watch
from sparkcore.runs.calibrations import Calibration, create_calibration, read_calibration
from sparkcore.runs.store import RunStore
from sparkcore.storage.opening import open_storage
from sparkcore.worker.calibration import LEAST_IMAGES, CalibrationTask, Measured, calibrate
from sparkcore.worker.opening import MAX_FILE_BYTES
from sparkcore.worker.task import LISTED_SIZE, WorkerTask

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MOST_TO_QUANTIZE = 300
_MOST_TO_COMPARE = 1000
_BATCH_SIZE = 32

File = tuple[str, int]  # origin and size in bytes


def found_calibration(request: Request, store: RunStore) -> Request:
    """Return the request with the calibration that the store has for it."""
    key = request.calibration_key
    return request if key is None else request.calibrated(read_calibration(store.storage, key))


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Make the calibration of a request, in a child process, and keep it in the store."""

    request: Request
    store: RunStore
    watch: Watch
    spark: Callable[[], SparkSession]

    def make(self) -> Request:
        """Return the request with its calibration.

        Raises ConfigError for fewer than 50 images in int8, or without the package that quantizes, and what
        `watch.check` raises.
        """
        request, precision = self.request, self.request.computation.precision
        if precision == "int8":
            _check_enough(request)
            check_quantizer()
        check_store(self.store.storage)
        self.watch.progress(Step("loading the model"))
        exact = replace(request.computation, precision="float32")
        model = result_of(start_freezing(request.model, exact), self.watch.check)
        with self._files() as files:
            cut = min(_MOST_TO_QUANTIZE, len(files) // 3) if precision == "int8" else 0
            tables = [_table(part) for part in (files[:cut], files[cut : cut + _MOST_TO_COMPARE])]
            bucket = request.listing.bucket
            storage = open_storage(bucket) if bucket else None
            worker = WorkerTask(request.config, model, _BATCH_SIZE, os.cpu_count() or 1, storage)
            measured = self._measured(CalibrationTask(worker, precision, tables[0], tables[1]))
        return self._kept(measured)

    def _measured(self, task: CalibrationTask) -> Measured:
        title = f"The precision {task.precision} could not be compared with float32"
        try:
            return call_elsewhere(calibrate, task, title, self.watch)
        except EngineError:
            raise
        except RunFailedError:  # an image may have ended the process
            careful = replace(task, worker=replace(task.worker, careful=True))
            return call_elsewhere(calibrate, careful, title, self.watch)

    def _kept(self, measured: Measured) -> Request:
        key, agreement = self.request.calibration_key, measured.agreement
        if key is None or agreement is None:
            return self.request
        is_quantized = measured.model.precision == "int8"
        quantized = measured.model.digest if is_quantized else ""
        details = (measured.model.precision, "", self.request.model.digest, processor(), agreement, quantized)
        calibration = Calibration(key, *details, measured.calibrated_on)
        calibration = replace(calibration, run_id=self.request.calibrated(calibration).run_id)
        if is_quantized or agreement.images >= LEAST_IMAGES:
            graph = measured.model.path if is_quantized else None
            calibration = create_calibration(self.store.storage, calibration, graph)
        return self.request.calibrated(calibration)

    @contextmanager
    def _files(self) -> Iterator[list[File]]:
        """Give the images, in the order of the seed; what only Spark can open is copied to this machine."""
        listing, config = self.request.listing, self.request.config
        files = _chosen(listing, config.seed)
        if not is_read_by_spark(config.images, "bytes"):
            yield files
            return
        with tempfile.TemporaryDirectory(prefix="sparkcore-") as folder:
            payloads = load_payloads(self.spark(), listing.spark_paths, "bytes")
            origins = [origin for origin, size_bytes in files if 0 < size_bytes <= MAX_FILE_BYTES]
            rows = only(payloads, origins or [""]).toLocalIterator()
            copies = {row["origin"]: _copied(bytes(row["content"]), Path(folder, str(n))) for n, row in enumerate(rows)}
            yield [copies[origin] for origin in origins if origin in copies]


def _copied(content: bytes, path: Path) -> File:
    path.write_bytes(content)
    return origin_of(path), len(content)


def _check_enough(request: Request) -> None:
    if request.listing.images < LEAST_IMAGES:
        raise ConfigError(
            f"precision: int8 is calibrated on at least {LEAST_IMAGES} images, received {request.listing.images} in "
            f"{request.config.images}. Use float32, or more images of the same kind."
        )


def _chosen(listing: Listing, seed: int) -> list[File]:
    """Return the images of the lowest sha256 of seed and origin, lowest first."""
    start = f"{seed}\0".encode()

    def key(file: File) -> bytes:
        return hashlib.sha256(start + file[0].encode()).digest()

    return heapq.nsmallest(_MOST_TO_QUANTIZE + _MOST_TO_COMPARE, _listed(listing), key)


def _listed(listing: Listing) -> Iterator[File]:
    for piece in listing.pieces():
        yield from zip(piece["origin"].to_pylist(), piece["size_bytes"].to_pylist(), strict=True)


def _table(files: list[File]) -> pa.Table:
    origins, sizes = ([file[part] for file in files] for part in (0, 1))
    return pa.table({"origin": pa.array(origins, pa.string()), LISTED_SIZE: pa.array(sizes, pa.int64())})
