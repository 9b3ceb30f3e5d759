from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sparkcore.config import RunConfig
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs.jobs import JobTable
from tests.read_only import read_only


def test_reading_makes_no_file(tmp_path: Path):
    table = JobTable(tmp_path / "store" / "jobs.sqlite")
    assert table.jobs() == []
    with pytest.raises(RunNotFoundError):
        table.get("nope")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_just_being_made_is_empty(tmp_path: Path):
    (tmp_path / "jobs.sqlite").touch()
    assert JobTable(tmp_path / "jobs.sqlite").jobs() == []


def test_readers_do_not_wait_for_a_writer(tmp_path: Path):
    table = JobTable(tmp_path / "jobs.sqlite")
    job = table.submit(RunConfig(images="x"))
    with sqlite3.connect(table.path, isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        assert table.jobs() == [job]
        db.execute("ROLLBACK")


def test_a_read_only_store_is_read(tmp_path: Path):
    table = JobTable(tmp_path / "50% #1?.sqlite")
    job = table.submit(RunConfig(images="x"))
    with read_only(tmp_path):
        assert table.jobs() == [job]
        assert table.get(job.job_id) == job
        with pytest.raises(
            RunFailedError, match=r"^Expected to write to the job table .*: attempt to write a readonly"
        ):
            table.submit(RunConfig(images="y"))
    assert table.jobs() == [job]


def test_the_newest_jobs_are_found_without_sorting_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table = JobTable(tmp_path / "jobs.sqlite")
    table.submit(RunConfig(images="x"))
    asked: list[str] = []
    connect = sqlite3.connect

    def traced(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        db = connect(*arguments, **settings)
        db.set_trace_callback(asked.append)
        return db

    monkeypatch.setattr(sqlite3, "connect", traced)
    table.jobs()
    with closing(connect(table.path)) as db:
        steps = [row[-1] for row in db.execute(f"EXPLAIN QUERY PLAN {asked[-1]}")]
    assert steps == ["SCAN jobs"]  # by rowid, from the end


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + bytes(2000)])
def test_a_damaged_file_is_said(tmp_path: Path, content: bytes):
    (tmp_path / "jobs.sqlite").write_bytes(content)
    with pytest.raises(RunFailedError, match="Expected to read the job table"):
        JobTable(tmp_path / "jobs.sqlite").jobs()
    with pytest.raises(RunFailedError, match="Expected to write to the job table"):
        JobTable(tmp_path / "jobs.sqlite").submit(RunConfig(images="x"))
