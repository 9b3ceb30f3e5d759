"""Tasks without Spark: buckets become part files and receipts, whatever happens beside or before."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkcore.config import RunConfig
from sparkcore.errors import EngineError
from sparkcore.models.frozen import FrozenModel
from sparkcore.origins import origin_of
from sparkcore.runs.files_table import committed_parts, read_files
from sparkcore.runs.layout import PlanFolder, plan_name, recipe_name
from sparkcore.runs.listing_files import write_listing
from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import Receipt, ReceiptBoard
from sparkcore.schema import LISTING_SCHEMA, STATUS_EXCLUDED, image_id, result_schema
from sparkcore.storage.folder import FolderStorage
from sparkcore.worker.bucket import BucketTask
from sparkcore.worker.compute import compute_buckets, compute_contents
from sparkcore.worker.opening import LocalImages
from sparkcore.worker.task import WorkerTask
from tests.conftest import write_colors
from tests.models.fixture_model import frozen_fixture

Make = Callable[..., BucketTask]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    return frozen_fixture(tmp_path_factory.mktemp("frozen"))


@pytest.fixture
def store(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "store")


@pytest.fixture
def make(tmp_path: Path, store: FolderStorage, frozen: FrozenModel, request_for: Callable[..., RunConfig]) -> Make:
    """Give a function that plans a run over a folder of pictures."""

    def plan(paths: list[Path], bucket_size: int = 4, donors: tuple[str, ...] = (), **settings: object) -> BucketTask:
        run_id = uuid.uuid4().hex[:16]
        listing = listed(paths)
        sizes = write_listing(store, PlanFolder(run_id, "word"), [listing], bucket_size)
        made = Plan(run_id, "word", "recipe", listing.num_rows, bucket_size, sizes, donors)
        store.write(plan_name(run_id), made.to_bytes())
        store.write(recipe_name("recipe", run_id), b"")
        worker = WorkerTask(request_for(tmp_path / "in", **settings), frozen, batch_size=3, threads=1)
        return BucketTask(worker, store, made, stop=str(tmp_path / "stop"))

    return plan


def listed(paths: list[Path]) -> pa.Table:
    rows = [
        {
            "image_id": image_id(origin_of(path)),
            "origin": origin_of(path),
            "size_bytes": path.stat().st_size,
            "version": str(path.stat().st_mtime_ns),
        }
        for path in paths
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["image_id"])), schema=LISTING_SCHEMA)


def receipts(task: BucketTask) -> dict[int, Receipt]:
    board = ReceiptBoard(task.store, task.plan)
    board.poll()
    return dict(sorted(board.receipts.items()))


def rows(task: BucketTask) -> pa.Table:
    """Return all committed rows, in the order of buckets."""
    tables = [result_schema(task.worker.config.keep).empty_table()]
    for part in committed_parts(receipts(task).values()):
        with task.store.open_reader(part.name) as file:
            tables.append(pq.read_table(file))
    return pa.concat_tables(tables)


def part_files(task: BucketTask) -> set[str]:
    return {entry.name for entry in task.store.list(f"{task.plan.folder.path}/results")}


def test_every_listed_name_ends_as_one_row(tmp_path: Path, make: Make) -> None:
    paths = write_colors(tmp_path / "in", 9)
    paths[3].write_text("no image")
    paths[5].write_bytes(b"")
    task = make(paths)
    paths[7].unlink()
    compute_buckets(range(3), task)
    table = rows(task)
    assert table["image_id"].to_pylist() == sorted(image_id(origin_of(path)) for path in paths)
    states = dict(zip(table["file_name"].to_pylist(), table["error_type"].to_pylist(), strict=True))
    assert {name: state for name, state in states.items() if state} == {
        paths[3].name: "not_an_image", paths[5].name: "empty", paths[7].name: "vanished",
    }  # fmt: skip
    assert [one.rows for one in receipts(task).values()] == [4, 4, 1]
    counts = [one.counts for one in receipts(task).values()]
    assert sum(one.get("ok", 0) for one in counts) == 6
    assert sum(one.get("errors", 0) for one in counts) == 3
    assert part_files(task) == {one.part for one in receipts(task).values()}


def test_a_small_run_is_compacted_by_its_last_task(tmp_path: Path, make: Make, store: FolderStorage) -> None:
    task = make(write_colors(tmp_path / "in", 9))
    compute_buckets([0, 2], task)
    with pytest.raises(FileNotFoundError):
        read_files(store, task.plan.run_id)
    compute_buckets([1], task)
    assert [part.bucket for part in read_files(store, task.plan.run_id)] == [0, 1, 2]


def test_a_committed_bucket_is_not_computed_again(tmp_path: Path, make: Make) -> None:
    task = make(write_colors(tmp_path / "in", 9))
    compute_buckets([0, 1], task)
    before = receipts(task)
    compute_buckets([0, 1, 2], task)
    assert {number: receipts(task)[number] for number in before} == before
    assert len(part_files(task)) == 3


def test_a_loser_deletes_only_its_own_file(tmp_path: Path, make: Make) -> None:
    task = make(write_colors(tmp_path / "in", 4))

    class SlowToSee(FolderStorage):
        """Does not see the receipt of another attempt until it creates its own."""

        def stat(self, name: str) -> object:  # type: ignore[override]
            raise FileNotFoundError(name)

    compute_buckets([0], task)
    winner = receipts(task)
    compute_buckets([0], replace(task, store=SlowToSee(tmp_path / "store")))
    assert receipts(task) == winner
    assert part_files(task) == {winner[0].part}


def test_a_stopped_task_leaves_only_whole_buckets(tmp_path: Path, make: Make) -> None:
    task = make(write_colors(tmp_path / "in", 12))
    Path(task.stop or "").touch()
    compute_buckets(range(3), task)
    assert receipts(task) == {}
    assert part_files(task) == set()
    Path(task.stop or "").unlink()
    compute_buckets(range(3), task)
    assert len(rows(task)) == 12


def test_an_executor_that_does_not_see_the_images_computes_nothing(tmp_path: Path, make: Make) -> None:
    task = replace(make(write_colors(tmp_path / "in", 4)), images=LocalImages(str(tmp_path / "elsewhere")))
    with pytest.raises(EngineError, match=r"Expected every executor to see .*elsewhere"):
        compute_buckets([0], task)
    assert receipts(task) == {}


def test_an_executor_that_does_not_see_the_store_computes_nothing(tmp_path: Path, make: Make) -> None:
    task = replace(make(write_colors(tmp_path / "in", 4)), store=FolderStorage(tmp_path / "elsewhere"))
    with pytest.raises(
        EngineError, match=r"does not find the listing of run .*elsewhere\. Use a store that the driver"
    ):
        compute_buckets([0], task)
    assert not (tmp_path / "elsewhere").exists()


def test_a_store_that_fails_ends_the_task_without_a_trace(tmp_path: Path, make: Make) -> None:
    task = make(write_colors(tmp_path / "in", 8))

    class Full(FolderStorage):
        def write_new(self, name: str, content: bytes) -> bool:
            raise OSError(f"no space for {len(content)} bytes at {name}")

    with pytest.raises(OSError, match="no space"):
        compute_buckets([0, 1], replace(task, store=Full(tmp_path / "store")))
    assert receipts(task) == {}
    assert not list((tmp_path / "store").rglob(".*")), "no temporary file is left"


def test_rows_of_donors_are_copied_where_nothing_changed(tmp_path: Path, make: Make) -> None:
    paths = write_colors(tmp_path / "in", 20)
    paths[1].write_text("no image")
    first = make(paths[:14], keep=["scores"])
    compute_buckets(range(4), first)
    paths[2].write_bytes(paths[3].read_bytes())
    second = make(paths, 5, (first.plan.run_id,), keep=["scores"])
    compute_buckets(range(4), second)
    table = rows(second)
    assert table["image_id"].to_pylist() == sorted(image_id(origin_of(path)) for path in paths)
    assert sum(one.counts.get("reused", 0) for one in receipts(second).values()) == 13
    old, new = ({row["image_id"]: row for row in rows(task).to_pylist()} for task in (first, second))
    changed = image_id(origin_of(paths[2]))
    assert new.pop(changed)["label"] == "white"
    old.pop(changed)
    assert old.items() <= new.items()
    retry = replace(make(paths, 5, (second.plan.run_id,), keep=["scores"]), reuse_errors=False)
    compute_buckets(range(4), retry)
    assert sum(one.counts.get("reused", 0) for one in receipts(retry).values()) == 19


def test_filters_turn_copied_rows_into_excluded_ones(tmp_path: Path, make: Make) -> None:
    paths = write_colors(tmp_path / "in", 6)  # 40 to 45 wide
    everything = make(paths)
    compute_buckets(range(2), everything)
    narrow = make(paths, 4, (everything.plan.run_id,), max_width=42)
    compute_buckets(range(2), narrow)
    fresh = make(paths, 4, max_width=42)
    compute_buckets(range(2), fresh)
    assert rows(narrow).equals(rows(fresh))
    assert rows(narrow)["status"].to_pylist().count(STATUS_EXCLUDED) == 3
    assert sum(one.counts.get("excluded", 0) for one in receipts(narrow).values()) == 3
    wide = make(paths, 4, (narrow.plan.run_id,))
    compute_buckets(range(2), wide)
    assert sum(one.counts.get("reused", 0) for one in receipts(wide).values()) == 3
    assert rows(wide).equals(rows(everything))


def test_what_spark_has_read_and_what_it_has_not(tmp_path: Path, make: Make) -> None:
    paths = write_colors(tmp_path / "in", 11)
    opened, brought = make(paths), make(paths)
    compute_buckets(range(3), opened)
    listing = listed(paths)

    def content() -> Iterator[pa.RecordBatch]:
        for start, end in ((0, 3), (3, 6), (9, 11)):  # the first of bucket 1 is there, nothing of 6 to 8 is
            some = listing.slice(start, end - start)
            files = [path for one in some["origin"].to_pylist() for path in paths if origin_of(path) == one]
            yield pa.record_batch(
                {
                    "bucket": pa.array([(start + n) // 4 for n in range(len(files))], pa.int32()),
                    "image_id": some["image_id"].combine_chunks(),
                    "content": pa.array([file.read_bytes() for file in files], pa.binary()),
                }
            )

    compute_contents(content(), brought)
    assert rows(brought).equals(rows(opened))
