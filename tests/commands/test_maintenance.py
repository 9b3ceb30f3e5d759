"""The commands that look after a store, on a local and on a remote one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkcore.cli import CANCELLED, FAILED, OK, WRONG_REQUEST, main
from sparkcore.runs.files_table import read_files
from sparkcore.runs.layout import manifest_name
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.conftest import write_colors
from tests.planned_run import unfinish, write_planned_run

Command = Callable[..., int]


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> RunStore:
    place = tmp_path / "store" if request.param == "folder" else request.getfixturevalue("s3_prefix")
    return RunStore(place, tmp_path / "state")


@pytest.fixture
def command(store: RunStore) -> Command:
    """Give a function that carries out a command on the store and returns its exit code."""
    return lambda *words: main([*words, "--store", store.uri, "--state", str(store.state)])


def test_verify_says_that_a_run_is_clean(store: RunStore, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    plan = write_planned_run(store, rows=45)
    size_bytes = sum(part.size_bytes for part in read_files(store.storage, plan.run_id))
    assert command("verify", plan.run_id[:6]) == OK
    out, err = capsys.readouterr()
    assert out == f"Run {plan.run_id}: 3 part files, 45 rows, {size_bytes:,} bytes read.\nClean.\n"
    assert "verifying 0/3 part files" in err
    assert command("verify", "latest", "--json") == OK
    assert json.loads(capsys.readouterr().out) == {
        "run_id": plan.run_id, "clean": True, "problems": [], "parts": 3, "rows": 45, "size_bytes": size_bytes,
    }  # fmt: skip


def test_verify_says_what_is_wrong(store: RunStore, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    plan = write_planned_run(store, rows=45)
    part = read_files(store.storage, plan.run_id)[1].name
    store.storage.delete(part)
    store.storage.delete(plan.folder.receipt(2))
    assert command("verify", plan.run_id) == FAILED
    out, err = capsys.readouterr()
    assert out.splitlines()[:2] == [
        f"{plan.folder.receipt(2)}: missing: bucket 2 is not committed", f"{part}: missing",
    ]  # fmt: skip
    assert f"Failed: run {plan.run_id} is damaged: 2 problems." in err
    assert command("verify", plan.run_id, "--json") == FAILED
    assert json.loads(capsys.readouterr().out)["clean"] is False


def test_verify_finds_a_damaged_manifest_and_refuses_an_unfinished_run(
    store: RunStore, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = write_planned_run(store, rows=5)
    store.storage.write(manifest_name(plan.run_id), b"{")
    assert command("verify", plan.run_id) == FAILED
    assert "manifest.json: cannot be read: " in capsys.readouterr().out
    unfinish(store, plan.run_id)
    assert command("verify", plan.run_id) == WRONG_REQUEST
    assert "Expected a finished run" in capsys.readouterr().err
    assert command("verify", "zzz") == WRONG_REQUEST
    assert "received 'zzz', which fits 0 of 1. `python -m sparkcore runs` and" in capsys.readouterr().err


def test_unfinished_runs_are_listed(store: RunStore, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    plan = write_planned_run(store, rows=45)
    assert command("runs", "--unfinished") == OK
    assert capsys.readouterr().out == ""
    unfinish(store, plan.run_id)
    store.storage.delete(plan.folder.receipt(0))
    assert command("runs", "--unfinished") == OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == [plan.run_id, "25", "45", "/photos"]
    assert command("runs", "--unfinished", "--json") == OK
    assert json.loads(capsys.readouterr().out) == [
        {"run_id": plan.run_id, "done": 25, "images": 45, "planned_at": "", "folder": "/photos"}
    ]
    assert command("runs", "--json") == OK
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_run_is_deleted(
    store: RunStore, command: Command, is_finished: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = write_planned_run(store, rows=5)
    map_results(store, plan.run_id)
    if not is_finished:
        unfinish(store, plan.run_id)
    assert command("delete", plan.run_id[:8], "--yes") == OK
    assert capsys.readouterr().out == f"Deleted run {plan.run_id}.\n"
    assert list(store.storage.list("runs")) == []
    assert list((store.state / "mapped").iterdir()) == []
    assert command("delete", plan.run_id, "--yes") == WRONG_REQUEST


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", OK), ("\n", CANCELLED), ("", CANCELLED), ("no\n", CANCELLED)])
def test_a_terminal_is_asked_first(
    store: RunStore,
    command: Command,
    answer: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = write_planned_run(store, rows=5)
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    assert command("delete", plan.run_id) == code
    assert f"Delete the finished run {plan.run_id} (" in capsys.readouterr().out
    assert store.has(plan.run_id) is (code == CANCELLED)


def test_nobody_is_asked_without_a_terminal(
    store: RunStore, command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = write_planned_run(store, rows=5)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert command("delete", plan.run_id) == WRONG_REQUEST
    assert "--yes: expected" in capsys.readouterr().err
    assert store.has(plan.run_id)


def test_gc_removes_what_it_says(store: RunStore, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    plan = write_planned_run(store, rows=45)
    orphan = plan.folder.new_part(0)
    store.storage.write(orphan, bytes(1234))
    expected = [{"kind": "orphan", "name": orphan, "size_bytes": 1234}]
    for words, is_there in ((["--dry-run", "--json"], True), (["--json"], False)):
        assert command("gc", *words) == OK
        report = json.loads(capsys.readouterr().out)
        assert report == {"dry_run": is_there, "removed": expected, "size_bytes": 1234}
        assert (orphan in {entry.name for entry in store.storage.list("runs")}) is is_there
    assert command("gc") == OK
    assert capsys.readouterr().out == "Removed 0 objects, 0 bytes.\n"
    store.storage.write(orphan, bytes(1234))
    assert command("gc", "--dry-run") == OK
    assert capsys.readouterr().out == f"orphan: {orphan} (1,234 bytes)\nWould remove 1 object, 1,234 bytes.\n"
    assert command("verify", plan.run_id) == OK


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("store", ["folder", pytest.param("s3", marks=pytest.mark.soak)], indirect=True)
def test_gc_harms_no_run_in_progress(
    store: RunStore, command: Command, tmp_path: Path, colors_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_colors(tmp_path / "in", 60, side=200)
    other = write_planned_run(store, rows=45)
    words = ["run", str(tmp_path / "in"), "--model", str(colors_model), "--bucket-size", "4", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sparkcore", *words, "--store", store.uri, "--state", str(store.state)],
        cwd=Path(__file__).resolve().parents[2], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ),
    )  # fmt: skip
    rounds = 0
    while process.poll() is None:
        assert command("gc", "--json") == OK
        rounds += 1
        time.sleep(0.1)
    assert '"removed": [{' not in capsys.readouterr().out
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    summary = json.loads(out)
    assert (summary["status"], summary["ok"], summary["computed"]) == ("complete", 60, 60)
    assert rounds > 3
    for run_id in (summary["run_id"], other.run_id):
        assert command("verify", run_id) == OK, capsys.readouterr().out
    assert list(store.storage.list("probes")) == []
