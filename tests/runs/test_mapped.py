from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.errors import RunNotFoundError
from sparkcore.runs.mapped import forget, map_results, read_thumbnails
from sparkcore.runs.results import load_results, load_thumbnails
from sparkcore.runs.store import RunStore
from tests.runs_fixture import write_run


def test_the_mapped_rows_are_those_of_the_parts(tmp_path: Path):
    store = RunStore(tmp_path)
    run = write_run(store, rows=45)
    first, second = map_results(store, run), map_results(store, run)
    assert first.equals(load_results(store, run).combine_chunks())
    assert second.equals(first)
    assert len(list((tmp_path / "mapped").iterdir())) == 1


def test_a_damaged_folder_falls_back_to_the_parts(tmp_path: Path):
    store = RunStore(tmp_path)
    run = write_run(store, rows=12)
    (tmp_path / "mapped").write_text("not a folder")
    assert map_results(store, run).num_rows == 12


def test_mapped_rows_take_no_memory(tmp_path: Path):
    store = RunStore(tmp_path)
    run = write_run(store, rows=400)
    map_results(store, run)
    before = pa.total_allocated_bytes()
    table = map_results(store, run)
    assert table.nbytes > 50_000
    assert pa.total_allocated_bytes() == before
    read = load_results(store, run)
    assert pa.total_allocated_bytes() - before >= 0.9 * read.nbytes  # so the measure notices rows in memory


def test_thumbnails_by_row(tmp_path: Path):
    store = RunStore(tmp_path)
    run = write_run(store, rows=45)
    ids = map_results(store, run)["image_id"].to_pylist()
    rows = [44, 3, 21, 9, 3]
    known = load_thumbnails(store, run, [ids[row] for row in rows])
    assert read_thumbnails(store, run, rows) == [known.get(ids[row]) for row in rows]
    assert read_thumbnails(store, run, [9]) == [None]
    assert read_thumbnails(store, run, []) == []


def test_forget_removes_the_mapped_table(tmp_path: Path):
    store = RunStore(tmp_path)
    run = write_run(store, rows=12)
    map_results(store, run)
    store.delete(run)
    forget(store, run)
    assert list((tmp_path / "mapped").iterdir()) == []
    with pytest.raises(RunNotFoundError):
        map_results(store, run)
