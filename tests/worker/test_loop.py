"""The worker loop, fed with lists: no Spark here."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sparkcore.config import RunConfig
from sparkcore.imaging.spark_image import to_spark_image
from sparkcore.models.frozen import FrozenModel
from sparkcore.origins import origin_of
from sparkcore.schema import image_id
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.task import LISTED_SIZE, WorkerTask
from tests.conftest import write_colors
from tests.models.fixture_model import frozen_fixture


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    return frozen_fixture(tmp_path_factory.mktemp("frozen"))


@pytest.fixture
def classify(frozen: FrozenModel, request_for: Callable[..., RunConfig]) -> Callable[..., list[dict[str, Any]]]:
    def run(
        batches: list[pa.RecordBatch], batch_size: int = 4, storage: Storage | None = None, **settings: Any
    ) -> list[dict[str, Any]]:
        task = WorkerTask(request_for("x", **settings), frozen, batch_size, threads=1, storage=storage)
        return [row for batch in classify_batches(batches, task) for row in batch.to_pylist()]

    return run


def file_batch(sizes: dict[str, int]) -> pa.RecordBatch:
    return pa.record_batch({"origin": pa.array(sizes, pa.string()), LISTED_SIZE: pa.array(sizes.values(), pa.int64())})


def contents(paths: list[Path], **more: list[Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"origin": [origin_of(p) for p in paths], "content": [p.read_bytes() for p in paths], **more}
    )


def test_row_of_a_good_image(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    path = write_colors(tmp_path / "reds", 1)[0]
    row = classify([contents([path])], truth="folder")[0]
    assert row["image_id"] == image_id(origin_of(path))
    assert (row["file_name"], row["truth"], row["status"]) == ("red-0.png", "reds", "ok")
    assert (row["format"], row["mode"], row["width"], row["height"], row["channels"]) == ("PNG", "RGB", 40, 40, 3)
    assert row["label"] == row["class_id"] == "red"
    assert row["top"][0]["label"] == "red"
    assert len(row["top"]) == 3
    assert row["score"] == row["top"][0]["score"] > 0.98
    assert row["margin"] == pytest.approx(row["top"][0]["score"] - row["top"][1]["score"], abs=1e-6)
    assert 0 < row["entropy"] < 0.2
    assert row["thumbnail"][:2] == b"\xff\xd8"
    assert row["error_type"] is row["error_message"] is None
    assert row["cost"]["decode_s"] > 0


def test_features_of_an_image(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    path, text = write_colors(tmp_path, 1)[0], tmp_path / "text.jpg"
    text.write_text("not an image")
    row, broken = classify([contents([path, text])])
    assert row["content_hash"] == hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    assert row["brightness"] == pytest.approx(76 / 255, abs=0.01)
    assert (row["contrast"], row["sharpness"]) == (0.0, 0.0)
    red = np.array([1, -1, -1]) / np.sqrt(3)  # the mean of a map that is the picture itself
    np.testing.assert_allclose(np.frombuffer(row["embedding"], np.float16), red, atol=1e-3)
    maps = np.frombuffer(row["activation"], np.uint8).reshape(3, 10, 10)
    assert (maps[0] == 255).all()
    assert [one.max() for one in maps[1:]] == [one.min() for one in maps[1:]] == [128, 170]
    names = ("perceptual_hash", "brightness", "embedding", "activation")
    assert [broken[name] for name in names] == [None] * 4
    assert broken["content_hash"] == hashlib.sha256(b"not an image").hexdigest()[:32]


@pytest.mark.parametrize("batch_size", [1, 3, 4, 32])
def test_order_and_other_columns_survive_any_batching(
    tmp_path: Path, classify: Callable[..., list[dict[str, Any]]], batch_size: int
) -> None:
    paths = write_colors(tmp_path, 10)
    batches = [contents(paths[:3], weight=[0, 1, 2]), contents(paths[3:], weight=[3, 4, 5, 6, 7, 8, 9])]
    rows = classify(batches, batch_size)
    assert [row["weight"] for row in rows] == list(range(10))
    assert [row["label"] for row in rows] == [path.name.split("-")[0] for path in paths]


def test_scores_do_not_depend_on_the_batch(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    paths = write_colors(tmp_path, 9)
    one = classify([contents(paths)], 1, keep=["scores"])
    many = classify([contents(paths)], 32, keep=["scores"])
    np.testing.assert_allclose([r["scores"] for r in one], [r["scores"] for r in many], atol=1e-6)


def test_bad_images_are_rows_between_the_good(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    good = write_colors(tmp_path, 3)
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("not an image")
    empty.write_bytes(b"")
    rows = classify([contents([good[0], text, good[1], empty, good[2]])], 2)
    assert [row["status"] for row in rows] == ["ok", "error", "ok", "error", "ok"]
    assert [row["error_type"] for row in rows] == [None, "not_an_image", None, "empty", None]
    assert [row["label"] for row in rows] == ["red", None, "green", None, "blue"]
    assert rows[1]["top"] is rows[1]["score"] is rows[1]["thumbnail"] is None
    assert "text" in rows[1]["error_message"]


def test_only_bad_images(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    text = tmp_path / "a.jpg"
    text.write_text("no")
    rows = classify([contents([text] * 20)], 2, keep=["scores"])
    assert {row["status"] for row in rows} == {"error"}
    assert {row["scores"] for row in rows} == {None}


def test_filters_leave_images_out(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    paths = write_colors(tmp_path, 4)  # 40, 41, 42, 43 wide
    rows = classify([contents(paths)], min_width=41, max_width=42)
    assert [row["status"] for row in rows] == ["excluded", "ok", "ok", "excluded"]
    assert [row["width"] for row in rows] == [40, 41, 42, 43]
    assert rows[0]["label"] is rows[0]["thumbnail"] is None


def test_kept_columns(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    path = write_colors(tmp_path, 1)[0]
    row = classify([contents([path])], keep=["pixels", "scores", "resized"])[0]
    red = np.zeros((32, 32, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    assert np.array_equal(np.frombuffer(row["resized"], np.uint8).reshape(32, 32, 3), red)
    assert len(row["pixels"]) == 40 * 40 * 3
    assert len(row["scores"]) == 9
    assert sum(row["scores"]) == pytest.approx(1, abs=1e-5)


def test_spark_images_give_the_same_labels(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    paths = write_colors(tmp_path, 4)
    structs = []
    for path in paths:
        height, width, channels, mode, data = to_spark_image(path.read_bytes())
        structs.append({"height": height, "width": width, "nChannels": channels, "mode": mode, "data": data})
    structs.append({"height": -1, "width": -1, "nChannels": -1, "mode": -1, "data": b""})
    origins = [*(origin_of(p) for p in paths), "file:/x/broken.jpg"]
    rows = classify([pa.RecordBatch.from_pydict({"origin": origins, "image": structs})])
    assert [row["label"] for row in rows] == ["red", "green", "blue", "white", None]
    assert (rows[0]["format"], rows[0]["mode"], rows[0]["channels"]) == (None, "RGB", 3)
    assert rows[4]["error_type"] == "invalid"


def test_a_file_without_content_is_opened_by_the_worker(
    tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]
) -> None:
    path = write_colors(tmp_path, 1)[0]
    rows = classify([pa.RecordBatch.from_pydict({"origin": [origin_of(path), "file:/no/such.jpg", "s3a://b/x.jpg"]})])
    assert [row["label"] for row in rows] == ["red", None, None]
    assert [row["error_type"] for row in rows] == [None, "vanished", "unreadable"]


class CountingStorage(FolderStorage):
    """A folder that counts the reads in flight; each waits until there are `together` of them."""

    def __init__(self, root: Path, together: int) -> None:
        super().__init__(root)
        self._barrier, self._lock = threading.Barrier(together), threading.Lock()
        self._in_flight = self.most = 0

    def read(self, name: str) -> bytes:
        with self._lock:
            self._in_flight += 1
            self.most = max(self.most, self._in_flight)
        self._barrier.wait(60)
        with self._lock:
            self._in_flight -= 1
        return super().read(name)


def listed(storage: Storage, paths: list[Path], size_bytes: int) -> pa.RecordBatch:
    return file_batch({f"{storage.uri}/{path.name}": size_bytes for path in paths})


@pytest.mark.parametrize("batch_size", [1, 16, 32])
def test_objects_are_read_ahead_at_most_32_at_once(
    tmp_path: Path, classify: Callable[..., list[dict[str, Any]]], batch_size: int
) -> None:
    paths, storage = write_colors(tmp_path, 96), CountingStorage(tmp_path, 32)
    rows = classify([listed(storage, paths, 1000)], batch_size, storage=storage)
    assert [row["label"] for row in rows] == [path.name.split("-")[0] for path in paths]
    assert storage.most == 32


def test_reading_ahead_is_bounded_by_bytes(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    paths, storage = write_colors(tmp_path, 6), CountingStorage(tmp_path, 1)
    rows = classify([listed(storage, paths, 64 << 20)], storage=storage)
    assert [row["status"] for row in rows] == ["ok"] * 6
    assert storage.most == 1


def test_an_object_that_cannot_be_read_is_a_row(tmp_path: Path, classify: Callable[..., list[dict[str, Any]]]) -> None:
    path, storage = write_colors(tmp_path, 1)[0], FolderStorage(tmp_path)
    (tmp_path / "folder").mkdir()
    batch = listed(storage, [path, tmp_path / "gone.png", tmp_path / "folder"], 1)
    rows = classify([batch], storage=storage)
    assert [row["error_type"] for row in rows] == [None, "vanished", "unreadable"]
    assert rows[1]["error_message"] == "The object was listed but is gone."
    assert rows[2]["error_message"].endswith("'folder' cannot be read or written: Is a directory.")


def test_leaving_early_waits_for_no_further_read(tmp_path: Path, frozen: FrozenModel, request_for: Any) -> None:
    paths, storage = write_colors(tmp_path, 96), CountingStorage(tmp_path, 1)
    task = WorkerTask(request_for("x"), frozen, 1, threads=1, storage=storage)
    rows = classify_batches([listed(storage, paths, 1000)], task)
    next(rows)
    rows.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("read", "decode"))]
