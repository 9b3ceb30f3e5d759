from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sparkcore.classes import ClassName
from sparkcore.cli import main
from sparkcore.runs.store import RunStore
from tests.runs_fixture import LABELS, Made, write_run


def test_a_policy_is_fitted_and_is_a_column_of_exports(
    tmp_path: Path, shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "store", Made(rows=60, error_every=0))
    file = tmp_path / "policy.json"
    found = shell("policy", "fit", run, "--precision", 0.8, "--reject", 0.5, "--out", file, "--name", "careful")
    assert {name: found[name] for name in ("run_id", "kept", "judged", "precision")} == {
        "run_id": run,
        "kept": 5,
        "judged": 60,
        "precision": 0.8,
    }
    assert found["low"] < 0.8 < found["high"]
    assert found["share"] == 5 / 60
    assert found["decisions"]["accept"] == 5
    assert json.loads(file.read_text())["name"] == "careful"
    store = ["--store", str(tmp_path / "store")]
    assert main(["export", run, str(tmp_path / "out.csv"), "--policy", str(file), *store]) == 0
    rows = csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines())
    assert [row["decision"] for row in rows].count("accept") == 5
    capsys.readouterr()
    shell("policy", "fit", run, "--precision", 0.8, "--name", "careful", "--save")
    assert [policy["name"] for policy in shell("policy", "list")] == ["careful"]
    assert main(["export", run, str(tmp_path / "named.csv"), "--policy", "careful", *store]) == 0
    assert "accept" in (tmp_path / "named.csv").read_text(encoding="utf-8-sig")
    assert main(["policy", "delete", "careful", *store]) == 0
    capsys.readouterr()
    assert shell("policy", "list") == []
    assert main(["policy", "delete", "careful", *store]) == 2
    assert main(["report", run, str(tmp_path / "r.html"), "--title", "What we saw", *store]) == 0
    assert "<h1>What we saw</h1>" in (tmp_path / "r.html").read_text()
    capsys.readouterr()
    assert main(["policy", "fit", run, "--precision", "0.9", "--guarantee", *store]) == 2
    assert "Ask for less, or review more pictures" in capsys.readouterr().err
    assert main(["export", run, str(tmp_path / "b.csv"), "--policy", str(tmp_path / "none"), *store]) == 2


def test_compare_says_which_run_is_better(tmp_path: Path, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    one, other = write_run(store, Made(rows=60, error_every=0)), write_run(store, Made(rows=60, error_every=0, shift=1))
    found = shell("compare", one, other)
    # Every fifth label moves by one class: of those twelve, the six that were wrong by one stay wrong.
    names = ("accuracy_a", "accuracy_b", "fixed", "broken", "changed", "judged")
    assert {name: found[name] for name in names} == {
        "accuracy_a": 0.7,
        "accuracy_b": 0.6,
        "fixed": 0,
        "broken": 6,
        "changed": 12,
        "judged": 60,
    }
    assert found["p_value"] == 2 * 0.5**6
    assert main(["compare", one, other, "--store", str(store)]) == 0
    said = capsys.readouterr().out
    assert "is better: it corrects 6 mistakes" in said
    assert "Both runs have the same settings." in said


def test_groups_in_exports_and_in_a_comparison(tmp_path: Path, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    store = RunStore(tmp_path / "store")
    one, other = (write_run(store, Made(rows=60, error_every=0, shift=shift)) for shift in (0, 1))
    for run in (one, other):
        store.write_classes(run, [ClassName(*label) for label in LABELS], {"n01": ("Fruit",), "n02": ("Fruit", "Soft")})
    groups = shell("compare", one, other)["groups"]
    assert [(g["group"], g["images"], g["fixed"], g["broken"]) for g in groups] == [("Fruit", 12, 0, 6)]
    assert groups[0]["p_adjusted"] == groups[0]["p_value"] == 2 * 0.5**6
    (fruit, soft) = shell("evaluate", one)["groups"]
    assert (fruit["group"], fruit["images"], fruit["low"] < fruit["accuracy"]) == ("Fruit", 12, True)
    assert soft["group"] == "Fruit > Soft"
    arguments = ["export", one, str(tmp_path / "out.csv"), "--store", store.uri]
    assert main([*arguments, "--group", "soft"]) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {(row["label"], row["group"]) for row in rows} == {("banana", "Fruit > Soft")}
    assert main(["export", one, str(tmp_path / "out.parquet"), "--group", "fruit", "--store", store.uri]) == 0
    table = pq.read_table(tmp_path / "out.parquet", columns=["label", "group"])
    assert set(table["group"].to_pylist()) == {"Fruit", "Fruit > Soft"}
    assert main(["export", one, str(tmp_path / "out.html"), "--group", "Fruit", "--store", store.uri]) == 0
    assert "Fruit" in (tmp_path / "out.html").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main([*arguments, "--group", "Dogs"]) == 2
    assert "expected the name of one group of this run (Fruit), received 'Dogs'" in capsys.readouterr().err


def test_drift_between_two_folders(tmp_path: Path, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    one = write_run(store, Made(rows=60, error_every=0, images="/a"))
    other = write_run(store, Made(rows=50, error_every=0, images="/b"))
    found = shell("drift", one, other)
    assert (found["alarm"], found["images_a"], found["images_b"], found["labels"]) == (False, 60, 50, [])
    assert len(found["strange"]) == 24
    assert found["embedding_p_value"] > 0.01
    assert main(["drift", one, other, "--store", str(store)]) == 0
    assert "Nothing differs more than two random halves of one folder would." in capsys.readouterr().out
