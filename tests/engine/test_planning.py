from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.planning import Parts
from sparkcore.schema import image_id


def cut(images: int, seconds_per_image: float, engine: EngineConfig | None = None, **settings: Any) -> list[pa.Table]:
    files = pa.table({"image_id": [image_id(str(n)) for n in range(images)]})
    parts, taken = Parts(files, RunConfig(images="x", **settings), engine or EngineConfig(), tasks=2), []
    while (part := parts.take()) is not None:
        taken.append(part)
        parts.record(part.num_rows, part.num_rows * seconds_per_image)
    return taken


@pytest.mark.parametrize(
    ("images", "seconds_per_image", "sizes"),
    [
        (1, 1.0, [1]),
        (75, 1.0, [32, 32, 11]),
        (200, 0.06, [32, 50, 50, 50, 18]),
        (300, 0.02, [32, 128, 128, 12]),
        (9000, 0.0001, [32, 4096, 4096, 776]),
        (64, 0.0, [32, 32]),
    ],
)
def test_parts_grow_to_a_few_seconds(images: int, seconds_per_image: float, sizes: list[int]) -> None:
    assert [part.num_rows for part in cut(images, seconds_per_image)] == sizes


def test_a_slow_part_makes_the_next_one_small_again() -> None:
    parts = Parts(pa.table({"image_id": list(map(str, range(1000)))}), RunConfig(images="x"), EngineConfig(), tasks=2)
    parts.record(32, 0.1)
    assert parts.take().num_rows == 960
    parts.record(960, 96.0)
    assert parts.take().num_rows == 32


def test_a_second_run_begins_as_large_as_the_first_ended() -> None:
    files = pa.table({"image_id": list(map(str, range(300)))})
    first = Parts(files, RunConfig(images="x"), EngineConfig(), tasks=2, kind="quick")
    first.record(first.take().num_rows, 0.1)
    again = Parts(files, RunConfig(images="x"), EngineConfig(), tasks=2, kind="quick")
    assert [again.take().num_rows for _ in range(2)] == [150, 150]
    assert Parts(files, RunConfig(images="x"), EngineConfig(), tasks=2, kind="another").take().num_rows == 32


def test_a_million_images_make_no_ten_thousand_files() -> None:
    assert len(cut(100_000, 1.0)) == 1000


def test_size_can_be_given_and_pixels_make_it_small() -> None:
    assert len(cut(100, 0.01, EngineConfig(part_size=7))) == 15
    assert len(cut(100, 0.01, keep=("pixels",))) == 7


def test_every_file_is_in_one_part() -> None:
    ids = [i for part in cut(500, 0.02) for i in part["image_id"].to_pylist()]
    assert ids == sorted(image_id(str(n)) for n in range(500))


def test_more_tasks_get_larger_parts() -> None:
    files = pa.table({"image_id": list(map(str, range(5000)))})
    parts = Parts(files, RunConfig(images="x"), EngineConfig(batch_size=8), tasks=20)
    assert parts.take().num_rows == 320
    parts.record(320, 3.0)
    assert parts.take().num_rows == 320  # two batches for each
    parts.record(320, 2.0)
    assert parts.take().num_rows == 480
