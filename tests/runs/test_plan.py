"""Plans: one for a run, whoever is first."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.errors import RunFailedError
from sparkcore.runs.layout import PlanFolder, plan_name
from sparkcore.runs.listing_files import BucketReader, write_listing
from sparkcore.runs.plan import BUCKETS_PER_LISTING, Plan, create_plan, read_plan
from sparkcore.schema import LISTING_SCHEMA
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return FolderStorage(tmp_path)


def pieces(images: int, length: int = 1000) -> Iterator[pa.Table]:
    for start in range(0, images, length):
        ids = [f"{number:016x}" for number in range(start, min(start + length, images))]
        columns = {"image_id": ids, "origin": [f"file:/{one}" for one in ids], "size_bytes": [1] * len(ids)}
        arrays = [pa.array(columns.get(field.name, [None] * len(ids)), field.type) for field in LISTING_SCHEMA]
        yield pa.Table.from_arrays(arrays, schema=LISTING_SCHEMA)


def plan_of(storage: Storage, images: int, bucket_size: int, word: str = "word") -> Plan:
    sizes = write_listing(storage, PlanFolder("run", word), pieces(images), bucket_size)
    return Plan("run", word, "recipe", images, bucket_size, sizes, ("donor",))


@pytest.mark.parametrize(("images", "bucket_size"), [(1, 16), (64, 16), (65, 16), (2500, 999), (5000, 7)])
def test_every_bucket_is_a_row_group_of_the_listing(storage: Storage, images: int, bucket_size: int) -> None:
    plan = plan_of(storage, images, bucket_size)
    with closing(BucketReader(storage, plan)) as reader:
        tables = [reader.read(bucket) for bucket in range(plan.buckets)]
    assert [table.num_rows for table in tables] == [plan.rows_of(bucket) for bucket in range(plan.buckets)]
    assert pa.concat_tables(tables).equals(pa.concat_tables(pieces(images)))
    assert len(plan.listing_bytes) == -(-plan.buckets // BUCKETS_PER_LISTING)


def test_a_plan_survives_the_store(storage: Storage) -> None:
    plan = plan_of(storage, 10, 4)
    assert read_plan(storage, "run") is None
    assert create_plan(storage, plan) == plan
    assert read_plan(storage, "run") == plan


def test_of_many_drivers_one_makes_the_plan_and_the_others_use_it(storage: Storage) -> None:
    plans = [plan_of(storage, 10, 4, f"word{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        counting = set(pool.map(lambda plan: create_plan(storage, plan), plans))
    assert len(counting) == 1
    listings = {entry.name for entry in storage.list("runs") if "/listing/" in entry.name}
    assert listings == {next(iter(counting)).folder.listing(0)}  # the others deleted theirs


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 1, "recipe_id": "x"}', b"\xff"])
def test_a_damaged_plan_is_an_error(storage: Storage, content: bytes) -> None:
    storage.write(plan_name("run"), content)
    with pytest.raises(RunFailedError, match="Delete the unfinished run"):
        read_plan(storage, "run")


def test_plans_of_other_versions_are_refused() -> None:
    plan = replace(Plan("run", "word", "recipe", 1, 16, (1,)), version=9)
    with pytest.raises(RunFailedError, match="version 9"):
        Plan.from_bytes(plan.to_bytes())
