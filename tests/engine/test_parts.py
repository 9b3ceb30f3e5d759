"""A part whose Spark job fails: the image that breaks it is found, the others are computed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine import parts
from sparkcore.engine.classification import worker_task
from sparkcore.engine.dispatch import classify_files, classify_local
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.listing import list_images
from sparkcore.engine.parts import MAX_SOLITARY_FAILURES, PartRunner
from sparkcore.errors import InputError, ModelError, RunCancelledError, RunFailedError
from sparkcore.models.resolve import resolve_model
from tests.conftest import write_colors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@pytest.fixture
def runner(spark: SparkSession, tmp_path: Path, request_for: Callable[..., RunConfig]) -> PartRunner:
    config = request_for(tmp_path / "in")
    model = start_freezing(resolve_model(config), "float32").result()
    return PartRunner(spark, (str(tmp_path / "in"),), worker_task(spark, config, model, EngineConfig()), tasks=2)


def files(folder: Path) -> pa.Table:
    return list_images(str(folder), lambda: pytest.fail("no Spark needed")).files


def breaking(names: set[str], text: str) -> Callable[..., pa.Table]:
    def job(spark: SparkSession, origins: list[str], *task: Any) -> pa.Table:
        if any(origin.rsplit("/", 1)[-1] in names for origin in origins):
            raise RuntimeError(text)
        return classify_local(spark, origins, *task)

    return job


def test_one_image_that_breaks_its_job_stands_alone(
    runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_colors(tmp_path / "in", 5)
    monkeypatch.setattr(parts, "classify_local", breaking({"blue-2.png"}, "Job aborted\nOutOfMemoryError: heap"))
    rows = runner.compute(files(tmp_path / "in")).results
    states = dict(zip(rows["file_name"].to_pylist(), rows["error_type"].to_pylist(), strict=True))
    assert states == {
        "red-0.png": None, "green-1.png": None, "blue-2.png": "internal", "white-3.png": None, "red-4.png": None,
    }  # fmt: skip
    (message,) = rows["error_message"].drop_null().to_pylist()
    assert message == "Spark's job failed on this image: OutOfMemoryError: heap"


def test_when_all_images_break_it_is_not_their_fault(
    runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_colors(tmp_path / "in", MAX_SOLITARY_FAILURES + 1)
    monkeypatch.setattr(parts, "classify_local", breaking({path.name for path in paths}, "disk full"))
    with pytest.raises(RunFailedError, match="The images are not the cause"):
        runner.compute(files(tmp_path / "in"))


@pytest.mark.parametrize("by_spark", [False, True])
def test_a_missing_model_reaches_the_driver_as_what_it_is(
    runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_spark: bool
) -> None:
    write_colors(tmp_path / "in", 4)
    broken = tmp_path / "broken.pb"
    broken.write_bytes(b"not a graph")
    model = replace(runner.task.model, path=broken, digest="broken")
    monkeypatch.setattr(parts, "workers_are_local", lambda _: not by_spark)
    with pytest.raises(ModelError, match="is no frozen graph"):
        replace(runner, task=replace(runner.task, model=model)).compute(files(tmp_path / "in"))


def test_what_spark_refuses_is_not_blamed_on_an_image(
    runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_colors(tmp_path / "in", 4)
    jobs: list[int] = []

    def refuse(_: SparkSession, sizes: dict[str, int], *__: Any) -> pa.Table:
        jobs.append(len(sizes))
        return runner.spark.read.format("binaryFile").load(str(tmp_path / "gone")).toArrow()

    monkeypatch.setattr(parts, "classify_local", refuse)
    with pytest.raises(InputError, match="gone"):
        runner.compute(files(tmp_path / "in"))
    assert jobs == [4]


def test_a_stopped_run_starts_no_job_again(runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_colors(tmp_path / "in", 40)
    started = threading.Event()
    jobs: list[int] = []

    def slow(spark: SparkSession, origins: list[str], *_: Any) -> pa.Table:
        def sleep(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            time.sleep(60)
            yield from batches

        jobs.append(len(origins))
        started.set()
        return spark.range(2).mapInArrow(sleep, "id long").toArrow()

    monkeypatch.setattr(parts, "classify_local", slow)
    with ThreadPoolExecutor(1) as pool:
        part = pool.submit(runner.compute, files(tmp_path / "in"))
        assert started.wait(60)
        while not runner.spark.sparkContext.statusTracker().getActiveJobsIds():
            time.sleep(0.05)
        runner.stop()
        with pytest.raises(RunCancelledError):
            part.result(30)
    assert jobs == [40]
    assert runner.spark.range(3).count() == 3


def test_files_that_need_no_worker(runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.jpg").write_bytes(b"")
    with (tmp_path / "in" / "huge.jpg").open("wb") as file:
        file.truncate((1 << 30) + 1)
    monkeypatch.setattr(parts, "classify_local", lambda *_: pytest.fail("nothing to compute"))
    rows = runner.compute(files(tmp_path / "in")).results.select(["file_name", "error_type", "error_message"])
    assert {r["file_name"]: r["error_type"] for r in rows.to_pylist()} == {
        "empty.jpg": "empty",
        "huge.jpg": "too_large",
    }
    assert "1,073,741,825 bytes; at most 1,073,741,824" in str(rows.to_pylist())


def test_where_workers_are_elsewhere_spark_opens_the_files(
    runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_colors(tmp_path / "in", 4)
    paths[3].rename(tmp_path / "in" / "_DSC3.png")  # a name that Spark passes over
    (tmp_path / "in" / "text.png").write_text("no picture")
    listed = files(tmp_path / "in")
    here = runner.compute(listed).results
    opened: list[str] = []

    def job(payloads: DataFrame, origins: list[str], task: Any) -> pa.Table:
        opened.extend(origins)
        return classify_files(payloads, origins, task)

    monkeypatch.setattr(parts, "classify_files", job)
    monkeypatch.setattr(parts, "workers_are_local", lambda _: False)
    assert runner.compute(listed).results.equals(here)
    assert sorted(opened) == listed["origin"].to_pylist()


def test_the_message_is_the_workers_own(runner: PartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_colors(tmp_path / "in", 1)

    def fail(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        del batches
        yield pa.record_batch({"rows": [pa.array([1])]})

    monkeypatch.setattr(
        parts, "classify_local", lambda spark, *_: spark.range(1).mapInArrow(fail, "rows binary").toArrow()
    )
    (message,) = runner.compute(files(tmp_path / "in")).results["error_message"].to_pylist()
    assert message.startswith("Spark's job failed on this image: pyarrow.lib.Arrow")
