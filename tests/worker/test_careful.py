"""Images that crash, hang or exhaust their decoder: real child processes, no Spark."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from sparkcore.config import RunConfig
from sparkcore.errors import ImageError, RunFailedError
from sparkcore.imaging.bounded_child import Limits
from sparkcore.imaging.spark_image import INVALID, SparkImage, to_spark_image
from sparkcore.models.frozen import FrozenModel
from sparkcore.origins import origin_of
from sparkcore.storage.folder import FolderStorage
from sparkcore.worker import careful
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.task import LISTED_SIZE, WorkerTask
from tests.conftest import wait_until, write_colors
from tests.imaging.pictures import png, save, write_awkward_folder
from tests.models.fixture_model import frozen_fixture
from tests.processes import is_running

THREADS = 2
# Children import this first: they note their process ids, and some pictures have an effect on their decoder that a
# faulty one has, once in a while, on its own.
HOSTILE_DECODER = """
import os, signal, time
from pathlib import Path
from PIL import Image

Path({pids!r}, str(os.getpid())).touch()
intact = Image.open

def open(file, *arguments, **options):
    content = file.getvalue()
    if content.endswith(b"crash"):
        os.abort()
    if content.endswith(b"killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if content.endswith(b"hang"):
        time.sleep(3600)
    if content.endswith(b"grow"):
        held = []
        while True:
            held.append(bytearray(10_000_000))
    return intact(file, *arguments, **options)

Image.open = open
"""


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    return frozen_fixture(tmp_path_factory.mktemp("frozen"))


@pytest.fixture
def task(frozen: FrozenModel, request_for: Callable[..., RunConfig]) -> WorkerTask:
    return WorkerTask(request_for("x", keep=["scores", "resized", "pixels"]), frozen, 4, THREADS, careful=True)


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[int]]]:
    """Make the decoders of children hostile; give a function for the ids of all children so far, which must end."""
    (tmp_path / "python" / "pids").mkdir(parents=True)
    module = HOSTILE_DECODER.format(pids=str(tmp_path / "python" / "pids"))
    (tmp_path / "python" / "sitecustomize.py").write_text(module)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"))

    def started() -> list[int]:
        return [int(path.name) for path in (tmp_path / "python" / "pids").iterdir()]

    yield started
    assert not [pid for pid in started() if is_running(pid)]


def opened(paths: list[Path]) -> pa.RecordBatch:
    """Return input whose files the worker opens."""
    return pa.record_batch({"origin": [origin_of(path) for path in paths], "number": range(len(paths))})


def read(paths: list[Path]) -> pa.RecordBatch:
    """Return input with the bytes of the files."""
    return opened(paths).append_column("content", pa.array([path.read_bytes() for path in paths]))


def as_spark_images(paths: list[Path]) -> pa.RecordBatch:
    """Return input as Spark's image source has it."""
    structs = []
    for path in paths:
        image = _spark_image(path)
        structs.append({**image._asdict(), "nChannels": image.n_channels})
    return opened(paths).append_column("image", pa.array(structs))


def _spark_image(path: Path) -> SparkImage:
    try:
        return to_spark_image(path.read_bytes())
    except ImageError:
        return INVALID


def rows(batch: pa.RecordBatch, task: WorkerTask) -> list[dict[str, Any]]:
    return [row for result in classify_batches([batch], task) for row in result.to_pylist()]


def without_cost(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "cost"} for row in found]


@pytest.mark.parametrize("form", [opened, read, as_spark_images])
def test_rows_equal_those_of_a_first_attempt(tmp_path: Path, task: WorkerTask, form: Any) -> None:
    statuses = write_awkward_folder(tmp_path)
    paths = [*(tmp_path / name for name in statuses), tmp_path / "vanished.jpg"]
    batch = form([path for path in paths if path.exists() or form is opened])
    found = rows(batch, task)
    assert without_cost(found) == without_cost(rows(batch, replace(task, careful=False)))
    assert [row["number"] for row in found] == list(range(batch.num_rows))
    assert sum(row["status"] == "ok" for row in found) == list(statuses.values()).count("ok")
    assert all(row["cost"]["decode_s"] > 0 for row in found if row["status"] == "ok")


def test_objects_and_their_sizes_give_the_same_rows(tmp_path: Path, task: WorkerTask) -> None:
    paths, storage = write_colors(tmp_path, 4), FolderStorage(tmp_path)
    names = [path.name for path in paths] + ["gone.png", "huge.png", "empty.png"]
    sizes = [path.stat().st_size for path in paths] + [10, 1 << 40, 0]
    batch = pa.record_batch({"origin": [f"{storage.uri}/{name}" for name in names], LISTED_SIZE: sizes})
    found = rows(batch, replace(task, storage=storage))
    assert without_cost(found) == without_cost(rows(batch, replace(task, storage=storage, careful=False)))
    assert [row["error_type"] for row in found] == [None] * 4 + ["vanished", "too_large", "empty"]


def test_filters_hold(tmp_path: Path, task: WorkerTask, request_for: Callable[..., RunConfig]) -> None:
    paths = write_colors(tmp_path, 4)  # 40, 41, 42, 43 wide
    found = rows(opened(paths), replace(task, config=request_for("x", min_width=41, max_width=42)))
    assert [row["status"] for row in found] == ["excluded", "ok", "ok", "excluded"]


def test_a_crash_is_a_row_and_a_new_child_goes_on(
    tmp_path: Path, task: WorkerTask, pids: Callable[[], list[int]]
) -> None:
    paths = write_colors(tmp_path / "in", 6)
    paths[1].write_bytes(png() + b"crash")
    paths[4].write_bytes(png() + b"killed")
    found = rows(opened(paths), task)
    assert [row["status"] for row in found] == ["ok", "error", "ok", "ok", "error", "ok"]
    assert {row["error_type"] for row in found} == {None, "internal"}
    assert found[1]["error_message"] == (
        "The decoder crashed (SIGABRT): the file is damaged or hostile, or needs more than 1,000 MB of memory. "
        "Save it anew as JPEG or PNG with another program, or leave it out."
    )
    assert found[4]["error_message"] == (
        "The system killed the decoder (SIGKILL), most likely because this machine was short of memory. "
        "Give the executors more memory, or leave the image out."
    )
    assert [row["label"] for row in found] == ["red", None, "blue", "white", None, "green"]
    assert len(pids()) <= THREADS + 2


def test_each_decoding_thread_has_at_most_one_child(
    tmp_path: Path, task: WorkerTask, pids: Callable[[], list[int]]
) -> None:
    found = rows(read(write_colors(tmp_path / "in", 40)), task)
    assert {row["status"] for row in found} == {"ok"}
    assert 1 <= len(pids()) <= THREADS


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")
def test_pictures_that_take_all_memory_are_rows(
    tmp_path: Path, task: WorkerTask, pids: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(careful, "LIMITS", Limits(300_000_000, 60))
    paths = write_colors(tmp_path / "in", 4)
    paths[0].write_bytes(paths[0].read_bytes() + b"grow")
    zeros = Image.fromarray(np.zeros((9000, 9000), np.float32))
    paths[1].write_bytes(save(zeros, "TIFF", compression="tiff_adobe_deflate"))
    os.truncate(paths[2], 500_000_000)
    found = rows(opened(paths), task)
    assert [(row["error_type"], row["error_message"]) for row in found] == [
        ("too_large", "The PNG image does not fit in memory: at most 1,000 MB are for one image."),
        ("too_large", "The TIFF image does not fit in memory: at most 1,000 MB are for one image."),
        ("too_large", "The image does not fit in memory: at most 1,000 MB are for one image."),
        (None, None),
    ]
    assert pids()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")
def test_a_first_attempt_decodes_large_pictures_apart(
    tmp_path: Path, task: WorkerTask, pids: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(careful, "LARGE_PIXELS", 1999)
    monkeypatch.setattr(careful, "LIMITS", Limits(100_000_000, 60))
    paths = write_colors(tmp_path / "in", 14)  # from the tenth on, 50 x 40 pixels and more
    reduced = Image.new("RGB", (2400, 2400), "red")
    paths[0].write_bytes(save(reduced, "JPEG"))
    paths[1].write_bytes(save(reduced, "JPEG", progressive=True))  # takes the memory of its full size
    paths[12].write_bytes(png(Image.new("RGB", (9000, 9000))))
    small = replace(task, careful=False, config=replace(task.config, keep=()))
    found = rows(opened(paths), small)
    assert [row["error_type"] for row in found] == [None] * 12 + ["too_large", None]
    assert [row["label"] for row in found[:4]] == ["red", "red", "blue", "white"]
    assert len(pids()) == 6  # the JPEG files, and four of 50 x 40 pixels and more
    monkeypatch.setattr(careful, "LARGE_PIXELS", 10**9)
    assert without_cost(found[:12]) == without_cost(rows(opened(paths[:12]), small))
    assert len(pids()) == 6
    struct = as_spark_images(paths[10:11])
    monkeypatch.setattr(careful, "LARGE_PIXELS", 1999)
    assert rows(struct, small)[0]["label"] == "blue"
    assert len(pids()) == 7


def test_an_overdue_picture_is_a_row(
    tmp_path: Path, task: WorkerTask, pids: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(careful, "LIMITS", Limits(10**9, 5))
    paths = write_colors(tmp_path / "in", 3)
    paths[0].write_bytes(png() + b"hang")
    paths[1].unlink()
    os.mkfifo(paths[1])  # opening it never ends
    found = rows(opened(paths), task)
    assert [row["error_type"] for row in found] == ["too_slow", "too_slow", None]
    assert {row["error_message"] for row in found[:2]} == {
        "Reading and decoding the image takes more than 5 s. "
        "Save it anew as JPEG or PNG with another program, or leave it out."
    }
    assert pids()


def test_leaving_early_ends_a_child_at_work(
    tmp_path: Path, task: WorkerTask, pids: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(careful, "LIMITS", replace(careful.LIMITS, time_s=1e5))
    paths = write_colors(tmp_path / "in", 20)
    paths[-1].unlink()
    os.mkfifo(paths[-1])
    results = classify_batches([opened(paths)], replace(task, batch_size=16))
    next(results)
    with os.fdopen(_opened_for_writing(paths[-1])):  # the child has opened it, and waits for what will not come
        results.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("read", "decode"))]
    assert pids()


def _opened_for_writing(fifo: Path) -> int:
    descriptors: list[int] = []

    def has_a_reader() -> bool:
        with suppress(OSError):  # there is no reader yet
            descriptors.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        return bool(descriptors)

    wait_until(has_a_reader)
    return descriptors[0]


def test_no_child_can_be_started(tmp_path: Path, task: WorkerTask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(RunFailedError, match="could not be started"):
        rows(opened(write_colors(tmp_path, 1)), task)
