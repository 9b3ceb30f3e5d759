from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.errors import RunNotFoundError
from sparkcore.runs.opened import open_run
from sparkcore.runs.results import load_results, load_thumbnails
from sparkcore.runs.store import RunStore
from tests.runs_fixture import write_run


def test_the_newest_run_is_opened(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    write_run(store, rows=5, day=0)
    newest = write_run(store, rows=12, day=1)
    opened = open_run(store=tmp_path)
    assert opened.manifest == store.manifest(newest)
    assert opened.table.equals(load_results(store, newest).combine_chunks())
    assert "thumbnail" not in opened.table.column_names


def test_thumbnails_by_image_id(tmp_path: Path) -> None:
    run_id = write_run(tmp_path, rows=12, error_every=10)
    opened = open_run(run_id, tmp_path)
    image_ids = opened.table["image_id"].to_pylist()
    thumbnails = opened.thumbnails(image_ids)
    assert thumbnails == load_thumbnails(RunStore(tmp_path), run_id, image_ids)
    assert set(image_ids) - set(thumbnails) == {
        row["image_id"] for row in opened.table.to_pylist() if row["status"] == "error"
    }
    assert opened.thumbnails([]) == {}


def test_the_store_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = write_run(tmp_path, rows=2)
    monkeypatch.setenv("SPARKCORE_STORE", str(tmp_path))
    assert open_run(run_id[:5]).manifest.run_id == run_id


def test_no_such_run(tmp_path: Path) -> None:
    write_run(tmp_path, rows=2)
    with pytest.raises(RunNotFoundError, match="received 'zzz', which fits 0 of 1"):
        open_run("zzz", tmp_path)
    with pytest.raises(RunNotFoundError, match="received 'latest', which fits 0 of 0"):
        open_run(store=tmp_path / "empty")
