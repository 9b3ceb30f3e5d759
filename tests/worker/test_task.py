from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.config import Fit, RunConfig
from sparkcore.errors import EngineError, ModelError
from sparkcore.models.frozen import FrozenModel
from sparkcore.worker.task import WorkerTask, raise_reported, reported

SCHEMA = pa.schema([pa.field("failure", pa.binary())])


def reports(work: Callable[[], None]) -> pa.Table:
    return pa.Table.from_batches(reported(work), SCHEMA)


def failing(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_nothing_is_reported_of_a_task_that_went_well() -> None:
    done: list[int] = []
    assert reports(lambda: done.append(1)).num_rows == 0
    assert done == [1]


def test_errors_of_the_run_keep_their_type() -> None:
    with pytest.raises(ModelError, match="no graph"):
        raise_reported(reports(failing(ModelError("no graph"))))
    with pytest.raises(EngineError, match="cannot import what it needs: No module named 'tensorflow'"):
        raise_reported(reports(failing(ImportError("No module named 'tensorflow'"))))


def test_other_errors_fail_the_spark_job() -> None:
    with pytest.raises(ValueError, match="an image"):
        reports(failing(ValueError("an image")))


def test_a_task_is_pickled() -> None:
    model = FrozenModel(Path("x.pb"), "d", "float32", 8, 8, Fit("stretch"), ("a",), ("a",))
    task = WorkerTask(RunConfig(images="x"), model, 4, 1)
    assert pickle.loads(pickle.dumps(task)) == task
