from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.config import Fit, RunConfig
from sparkcore.errors import EngineError, ModelError
from sparkcore.models.freeze import FrozenModel
from sparkcore.worker.task import PACKED_SCHEMA, WorkerTask, packed, unpacked

ROWS = pa.record_batch({"n": [1, 2, 3]})


def task(**settings: object) -> WorkerTask:
    model = FrozenModel(Path("x.pb"), "d", "float32", 8, 8, Fit("stretch"), ("a",), ("a",))
    return WorkerTask(RunConfig.from_dict({"images": "x", **settings}), model, 4, 1)


def received(batches: Iterator[pa.RecordBatch], **settings: object) -> pa.Table:
    return pa.Table.from_batches(packed(batches, task(**settings)), PACKED_SCHEMA)


def failing(error: Exception) -> Iterator[pa.RecordBatch]:
    yield ROWS
    raise error


def test_rows_come_back() -> None:
    assert unpacked(received(iter([ROWS, ROWS])), ROWS.schema)["n"].to_pylist() == [1, 2, 3, 1, 2, 3]
    assert unpacked(received(iter([])), ROWS.schema).num_rows == 0


def test_pixels_travel_one_row_at_a_time() -> None:
    assert received(iter([ROWS]), keep=["pixels"]).num_rows == 3


def test_errors_of_the_run_keep_their_type() -> None:
    with pytest.raises(ModelError, match="no graph"):
        unpacked(received(failing(ModelError("no graph"))), ROWS.schema)
    with pytest.raises(EngineError, match="cannot import what it needs: No module named 'tensorflow'"):
        unpacked(received(failing(ImportError("No module named 'tensorflow'"))), ROWS.schema)


def test_other_errors_fail_the_spark_job() -> None:
    with pytest.raises(ValueError, match="an image"):
        received(failing(ValueError("an image")))


def test_a_task_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(task())) == task()
