"""What the driver tells a worker, and how a worker reports an error that ends the run."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from sparkcore.config import RunConfig
from sparkcore.errors import EngineError, SparkcoreError
from sparkcore.models.freeze import FrozenModel
from sparkcore.storage.interface import Storage

PAYLOADS = {"bytes": "content", "image": "image"}  # the column of the picture, by reader
LISTED_SIZE = "listed_size_bytes"  # in the worker's input alone

PACKED_SCHEMA = pa.schema([pa.field("rows", pa.binary()), pa.field("failure", pa.binary())])
PACKED_DDL = "rows binary, failure binary"
_MAX_ROWS_WITH_PIXELS = 1  # a Spark value holds at most 2 GB, and one full-size picture may have half of that


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """Hold all that a worker needs to know; it is pickled with Spark's tasks.

    `threads` is the number of threads of the model, and of the decoder. `storage` is the bucket of the images, None
    where they are not on an object store.
    """

    config: RunConfig
    model: FrozenModel
    batch_size: int
    threads: int
    storage: Storage | None = None


def packed(batches: Iterator[pa.RecordBatch], task: WorkerTask) -> Iterator[pa.RecordBatch]:
    """Yield result batches as Arrow IPC bytes in batches of `PACKED_SCHEMA`.

    As columns every cell would be converted twice on its way through the JVM, which takes longer than a fast model.
    An error that would hit any image (no model, a missing package) is yielded as `failure`: as an exception it would
    reach the driver as text only.
    """
    try:
        for batch in batches:
            length = _MAX_ROWS_WITH_PIXELS if "pixels" in task.config.keep else len(batch)
            for start in range(0, len(batch), length):
                yield _packed_row(rows=_to_bytes(batch.slice(start, length)))
    except SparkcoreError as error:
        yield _packed_row(failure=pickle.dumps(error))
    except ImportError as error:
        message = f"A worker cannot import what it needs: {error}. Install sparkcore's requirements on the executors."
        yield _packed_row(failure=pickle.dumps(EngineError(message)))


def unpacked(received: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the rows of all workers; raises the SparkcoreError that a worker reported."""
    for failure in received["failure"].drop_null():
        raise pickle.loads(failure.as_buffer())
    tables = [pa.ipc.open_stream(rows.as_buffer()).read_all().cast(schema) for rows in received["rows"]]
    return pa.concat_tables([schema.empty_table(), *tables])


def _packed_row(rows: bytes | None = None, failure: bytes | None = None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"rows": rows, "failure": failure}], schema=PACKED_SCHEMA)


def _to_bytes(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes()


def file_batch(sizes: Mapping[str, int]) -> pa.RecordBatch:
    """Return the input of a worker that opens files itself; `sizes` has their bytes by origin."""
    return pa.record_batch({"origin": pa.array(sizes, pa.string()), LISTED_SIZE: pa.array(sizes.values(), pa.int64())})
