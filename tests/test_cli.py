"""The command line, in separate processes where that is the point."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sparkcore.cli import main
from sparkcore.runs.parts import stored_parts
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.schema import light_schema, result_schema
from tests.cluster.drivers import descendants, running
from tests.conftest import wait_until, write_colors

ROOT = Path(__file__).resolve().parents[1]
PROCESS_LIMIT_S = 90


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the run that several tests look at: its pictures and its store."""
    return tmp_path_factory.mktemp("finished")


@pytest.fixture(scope="module")
def finished(place: Path, colors_model: Path, spark: object) -> dict[str, Any]:
    """Run eight pictures through `run --json` and give what it printed."""
    del spark
    write_colors(place / "in", 8)
    with redirect_stdout(io.StringIO()) as out:
        assert main(["run", *arguments(place, colors_model), "--truth", "filename", "--json"]) == 0
    return json.loads(out.getvalue())


def arguments(folder: Path, model: Path) -> list[str]:
    return [str(folder / "in"), "--model", str(model), "--store", str(folder / "store"), "--top-k", "3"]


def start(*words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sparkcore", *words],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment},
    )  # fmt: skip


def receipts_written(store: Path) -> int:
    return len(list(store.glob("runs/*/*/receipts/*/*.json")))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    wait_until(lambda: condition() or process.poll() is not None)
    assert process.poll() is None, process.communicate(timeout=PROCESS_LIMIT_S)[1]


def test_run_prints_one_json_object(place: Path, finished: dict[str, Any]) -> None:
    assert finished["status"] == "complete"
    assert (finished["images"], finished["ok"], finished["errors"]) == (8, 8, 0)
    assert finished["folder"] == f"{place}/store/runs/{finished['run_id']}"
    assert finished["seconds"] > 0
    assert finished["model_source"].endswith(".keras")
    assert finished["images_per_second_no_load"] >= finished["images_per_second"] > 0


def test_run_for_people(
    place: Path, colors_model: Path, finished: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments(place, colors_model), "--truth", "filename"]) == 0
    out = capsys.readouterr().out
    assert f"Run {finished['run_id']}: cached" in out
    assert "8 images: 8 ok, 0 with errors" in out
    assert "white" in out


def test_runs_and_show(place: Path, finished: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(place / "store")]
    assert main(["runs", *store]) == 0
    assert finished["run_id"] in capsys.readouterr().out
    assert main(["show", "latest", "--json", *store]) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == RunStore(place / "store").runs()[0].run_id
    assert main(["show", finished["run_id"][:6], *store]) == 0
    assert "8 ok" in capsys.readouterr().out
    assert main(["show", "zzz", *store]) == 2
    assert "received 'zzz'" in capsys.readouterr().err


def test_exports(tmp_path: Path, place: Path, finished: dict[str, Any]) -> None:
    store = ["--store", str(place / "store")]
    for name in ("out.csv", "out.parquet", "out.zip", "out.html"):
        assert main(["export", finished["run_id"], str(tmp_path / name), *store]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8-sig"))))
    assert {(row["file_name"], row["label"]) for row in rows} >= {("red-0.png", "red"), ("white-7.png", "white")}
    assert len(rows) == 8
    expected = read_parts(RunStore(place / "store"), finished["run_id"], [*light_schema().names, "thumbnail"])
    expected = expected.select([name for name in result_schema().names if name in expected.column_names])
    assert (
        pq.read_table(tmp_path / "out.parquet").sort_by("image_id").to_pylist()
        == expected.sort_by("image_id").to_pylist()
    )
    assert len([n for n in zipfile.ZipFile(tmp_path / "out.zip").namelist() if n.endswith(".jpg")]) == 8
    page = (tmp_path / "out.html").read_text()
    assert "<title>in · colors · stretch</title>" in page
    assert finished["run_id"] in page


def test_export_with_originals(
    tmp_path: Path, place: Path, finished: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--originals", "--store", str(place / "store")]
    assert main(["export", finished["run_id"], str(tmp_path / "out.zip"), *store]) == 0
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("table.csv").decode("utf-8-sig"))))
        assert len(rows) == 8
        for row in rows:
            assert archive.read(row["original"]) == (place / "in" / row["file_name"]).read_bytes()
    assert main(["export", finished["run_id"], str(tmp_path / "out.csv"), *store]) == 2
    assert "--originals: expected the format zip, received csv" in capsys.readouterr().err


def test_export_of_unknown_kind(
    tmp_path: Path, place: Path, finished: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", finished["run_id"], str(tmp_path / "out.xlsx"), "--store", str(place / "store")]) == 2
    assert "expected one of csv, parquet, zip, html, received 'xlsx'" in capsys.readouterr().err
    assert not (tmp_path / "out.xlsx").exists()


def test_evaluate_and_compare(
    place: Path, colors_model: Path, finished: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(place / "store")]
    assert main(["evaluate", finished["run_id"], "--json", *store]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["support"], report["top_1"], report["top_k"]) == (8, 1.0, 1.0)
    assert (report["classes_known"], report["unmatched"], report["matched_top_1"]) == (True, 0, 1.0)
    assert main(["run", *arguments(place, colors_model), "--resize", "pad", "--json"]) == 0
    other = json.loads(capsys.readouterr().out)["run_id"]
    assert main(["compare", finished["run_id"], other, "--json", *store]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["in_both"], report["agreement"], report["changed"]) == (8, 1.0, 0)
    assert report["settings"]["config.resize"] == ["auto", "pad"]


def test_models_and_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "resnet50" in capsys.readouterr().out
    assert main(["samples", str(tmp_path / "s"), "--count", "3"]) == 0
    assert len([p for p in (tmp_path / "s").rglob("*") if p.is_file()]) == 3


def test_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "sparkcore", "models"], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "/no/such/folder", "--weights", "random", "--model", "vgg16"], "received '/no/such/folder'"),
        (["run", "{}", "--model", "resnet5"], "Did you mean"),
        (
            ["run", "{}", "--model", "resnet50", "--top-k", "0"],
            "top_k: expected a whole number of at least 1, received 0",
        ),
        (["run", "{}", "--model", "resnet50", "--min-width", "9", "--max-width", "8"], "no image passes"),
        (["run", "{}", "--model", "vgg16"], "--weights"),
        (["runs"], "Expected a store of runs"),
        (["run", "{}", "--spark-conf", "spark.executor.memory"], "spark-conf: expected KEY=VALUE"),
        (["engine", "status", "--spark-conf", "secret"], "spark-conf: expected KEY=VALUE"),
        (
            ["run", "{}", "--model", "vgg16", "--weights", "random", "--master", "lokal"],
            "master: expected one of local",
        ),
    ],
)
def test_wrong_requests_exit_with_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    expected: str,
) -> None:
    write_colors(tmp_path / "in", 1)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert main([word.format(tmp_path / "in") for word in words] + ["--store", str(tmp_path / "store")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert expected in err
    assert not list((tmp_path / "keras").rglob("*.h5"))


def test_an_error_of_the_process_is_a_message_without_a_traceback(tmp_path: Path) -> None:
    process = start("runs", "--store", str(tmp_path / "store"))
    out, err = process.communicate(timeout=PROCESS_LIMIT_S)
    assert (process.returncode, out) == (2, "")
    assert "Expected a store of runs" in err
    assert "Traceback" not in err


def test_a_folder_without_files_exits_with_2(tmp_path: Path, colors_model: Path) -> None:
    (tmp_path / "in").mkdir()
    assert main(["run", *arguments(tmp_path, colors_model)]) == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_signals_cancel_and_keep_finished_parts(tmp_path: Path, colors_model: Path, number: signal.Signals) -> None:
    write_colors(tmp_path / "in", 120, side=400)
    process = start("run", *arguments(tmp_path, colors_model), "--bucket-size", "4", "--json")
    wait_for(lambda: receipts_written(tmp_path / "store") >= 2, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=PROCESS_LIMIT_S)
    assert (process.returncode, out) == (130, ""), err
    assert "run the same command again to resume" in err
    store = RunStore(tmp_path / "store")
    (unfinished,) = store.unfinished()
    assert 0 < read_parts(store, unfinished, ["image_id"]).num_rows < 120


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kill_in_the_middle_loses_no_finished_part(
    tmp_path: Path, colors_model: Path, spark: object, capsys: pytest.CaptureFixture[str]
) -> None:
    del spark  # the later runs need no process of their own
    write_colors(tmp_path / "in", 120, side=400)
    command = ["run", *arguments(tmp_path, colors_model), "--bucket-size", "4", "--json"]
    process = start(*command)
    wait_for(lambda: receipts_written(tmp_path / "store") >= 2, process)
    family = descendants(process.pid)
    process.kill()
    process.wait(PROCESS_LIMIT_S)
    wait_until(lambda: not family & running())  # workers finish what they have begun
    store = RunStore(tmp_path / "store")
    (unfinished,) = store.unfinished()
    kept = read_parts(store, unfinished, ["image_id"]).num_rows
    paths = [Path(store.uri, part.name) for part in stored_parts(store.storage, unfinished, None)]
    times = {path: path.stat().st_mtime_ns for path in paths}
    assert main(command) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["run_id"], summary["status"]) == (unfinished, "complete")
    assert (summary["computed"], summary["resumed"]) == (120 - kept, kept)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert main([*command, "--store", str(tmp_path / "undisturbed"), "--bucket-size", "60"]) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == unfinished
    rows, expected = (
        read_parts(RunStore(tmp_path / folder), unfinished, result_schema().names).sort_by("image_id").to_pylist()
        for folder in ("store", "undisturbed")
    )
    assert rows == expected


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.soak  # test_two_at_once_make_one_run does the same with threads
def test_two_processes_at_once_make_one_run(
    tmp_path: Path, colors_model: Path, spark: object, capsys: pytest.CaptureFixture[str]
) -> None:
    del spark
    write_colors(tmp_path / "in", 12)
    command = ["run", *arguments(tmp_path, colors_model), "--json"]
    other = start(*command)
    wait_for(lambda: bool(list(tmp_path.glob("store/runs/*/plan.json"))), other)
    assert main(command) == 0
    mine = json.loads(capsys.readouterr().out)
    theirs = json.loads(other.communicate(timeout=PROCESS_LIMIT_S)[0])
    assert (theirs["status"], mine["status"]) == ("complete", "cached")
    assert mine["run_id"] == theirs["run_id"]
    assert len(RunStore(tmp_path / "store").runs()) == 1
