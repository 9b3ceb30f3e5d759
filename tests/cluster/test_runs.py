"""Whole runs on real clusters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from tests.cluster.conftest import Cluster
from tests.conftest import write_colors

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]


def test_a_run(cluster: Cluster, tmp_path: Path, colors_model: Path) -> None:
    pictures = write_colors(tmp_path / "in", 12)
    (tmp_path / "in" / "broken.png").write_text("no image")
    store = tmp_path / "store"
    words = [str(tmp_path / "in"), "--model", str(colors_model), "--store", str(store), "--top-k", "3", "--json"]
    done = cluster.sparkcore("run", *words)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["images"], summary["ok"], summary["error_types"]) == (13, 12, {"not_an_image": 1})
    rows = load_results(RunStore(str(store)), summary["run_id"]).to_pylist()
    assert {row["file_name"]: row["label"] for row in rows} == {
        "broken.png": None, **{path.name: path.name.split("-")[0] for path in pictures},
    }  # fmt: skip
