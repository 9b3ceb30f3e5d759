from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import synthetic
from sparkcore.analysis.truth import is_correct
from sparkcore.runs.files_table import read_files
from sparkcore.runs.results import load_results, load_thumbnails
from sparkcore.runs.store import RunStore
from sparkcore.schema import light_schema


def test_a_synthetic_run_is_one_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(synthetic, "ROWS_PER_PART", 400)
    store = RunStore(tmp_path)
    run = synthetic.write_synthetic_run(store, 1000, thumbnail_side=32)
    table = load_results(store, run)
    counts = store.manifest(run).counts
    assert table.schema.names == light_schema().names
    assert len(read_files(store.storage, run)) == 3
    assert table["image_id"].to_pylist() == sorted(table["image_id"].to_pylist())
    assert len(set(table["image_id"].to_pylist())) == 1000
    assert counts["errors"] == table["status"].to_pylist().count("error") > 0
    right = is_correct(table).to_pylist()
    assert 0.75 < right.count(True) / counts["ok"] < 0.85
    ok = [row for row in table.slice(0, 20).to_pylist() if row["status"] == "ok"]
    assert all(row["top"][0]["label"] == row["label"] and len(row["top"]) == 5 for row in ok)
    assert len(load_thumbnails(store, run, [row["image_id"] for row in ok])) == len(ok)


def test_the_same_run_is_not_written_twice(tmp_path: Path):
    runs = synthetic.make_store(tmp_path, {10: 32})
    assert synthetic.make_store(tmp_path, {10: 32}) == runs
    assert [manifest.run_id for manifest in RunStore(tmp_path).runs()] == list(runs.values())
