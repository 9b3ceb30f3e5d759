"""What the driver tells a worker, and how a worker reports an error that ends the run."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from sparkcore.config import RunConfig
from sparkcore.errors import EngineError, SparkcoreError
from sparkcore.models.frozen import FrozenModel
from sparkcore.storage.interface import Storage

PAYLOADS = {"bytes": "content", "image": "image"}  # the column of the picture, by reader
LISTED_SIZE = "listed_size_bytes"  # in the worker's input alone

REPORT_DDL = "failure binary"
_REPORT_SCHEMA = pa.schema([pa.field("failure", pa.binary())])


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """Hold all that a worker needs to know; it is pickled with Spark's tasks.

    `threads` is the number of threads of the model, and of the decoder. `storage` is the bucket of the images, None
    where they are not on an object store. With `careful`, images are decoded in child processes, so that one that ends
    its decoder does not end the worker.
    """

    config: RunConfig
    model: FrozenModel
    batch_size: int
    threads: int
    storage: Storage | None = None
    careful: bool = False


def reported(work: Callable[[], None]) -> Iterator[pa.RecordBatch]:
    """Do the work of a task; yield nothing, or the error that ends the run.

    An error that would hit any image (no model, a missing package) travels as a value: as an exception it would reach
    the driver as text only.
    """
    try:
        work()
    except SparkcoreError as error:
        yield _report(error)
    except ImportError as error:
        yield _report(
            EngineError(f"A worker cannot import what it needs: {error}. Install sparkcore's requirements there.")
        )


def raise_reported(reports: pa.Table) -> None:
    """Raise the first error that a worker reported."""
    for failure in reports["failure"].drop_null():
        raise pickle.loads(failure.as_buffer())


def _report(error: SparkcoreError) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"failure": pickle.dumps(error)}], schema=_REPORT_SCHEMA)
