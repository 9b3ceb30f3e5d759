from __future__ import annotations

import pyarrow as pa
import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.planning import part_count, parts
from sparkcore.schema import image_id


@pytest.mark.parametrize(
    ("images", "count"),
    [(1, 1), (32, 1), (33, 2), (75, 3), (300, 10), (3_000, 17), (30_000, 118), (1_000_000, 1000)],
)
def test_parts_are_neither_few_nor_many(images: int, count: int) -> None:
    assert part_count(images, RunConfig(images="x"), EngineConfig()) == count


def test_size_can_be_given_and_pixels_make_it_small() -> None:
    assert part_count(100, RunConfig(images="x"), EngineConfig(part_size=7)) == 15
    assert part_count(100, RunConfig(images="x", keep=("pixels",)), EngineConfig()) == 7


def test_every_file_is_in_one_part_whatever_the_others_are() -> None:
    ids = [image_id(str(n)) for n in range(500)]
    cut = parts(pa.table({"image_id": ids}), 7)
    assert sorted(i for files in cut.values() for i in files["image_id"].to_pylist()) == sorted(ids)
    assert set(cut) == set(range(7))
    again = parts(pa.table({"image_id": ids[:250]}), 7)
    for number, files in again.items():
        assert set(files["image_id"].to_pylist()) <= set(cut[number]["image_id"].to_pylist())
        assert files["image_id"].to_pylist() == sorted(files["image_id"].to_pylist())
