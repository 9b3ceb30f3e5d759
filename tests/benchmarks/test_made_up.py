from __future__ import annotations

from pathlib import Path

from benchmarks.made_up import made_up_listing
from benchmarks.reach.made_up_rows import made_up_batches
from sparkcore.config import RunConfig
from sparkcore.schema import result_schema
from sparkcore.worker.rows import COST_FIELD
from sparkcore.worker.task import WorkerTask
from tests.models.fixture_model import frozen_fixture


def test_a_made_up_row_is_one_of_a_result_for_each_listed_file(tmp_path: Path):
    task = WorkerTask(RunConfig("images"), frozen_fixture(tmp_path), batch_size=3, threads=1)
    with made_up_listing(1001, "file:/made up", tmp_path / "spill") as listing:
        (listed,) = listing.pieces()
    inputs = listed.drop_columns("image_id").to_batches(max_chunksize=64)
    rows = [row for batch in made_up_batches(10, iter(inputs), task) for row in batch.to_pylist()]
    assert list(rows[0]) == [*result_schema().names, COST_FIELD.name]
    assert [{name: row[name] for name in listed.schema.names} for row in rows] == listed.to_pylist()
    assert {len(row["thumbnail"]) for row in rows} == {10}
    assert sorted(row["file_name"] for row in rows) == [f"IMG_{number:08d}.jpg" for number in range(1001)]
