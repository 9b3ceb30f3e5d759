"""Every command on a store that lies on a real S3 server."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sparkcore.cli import OK, WRONG_REQUEST, main
from sparkcore.runs.results import load_thumbnails
from sparkcore.runs.store import RunStore
from sparkcore.schema import PLACE_FIELDS, result_schema
from sparkcore.storage.opening import open_storage
from tests.conftest import write_colors
from tests.runs_fixture import write_run

Printed = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path, s3_prefix: str) -> RunStore:
    return RunStore(f"{s3_prefix}/runs a+b", tmp_path / "state")


@pytest.fixture
def printed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> Printed:
    """Give a function that carries out a command, which must succeed, and returns what it printed."""

    def carry_out(*words: str) -> Any:
        assert main([*words, "--store", store.uri, "--state", str(store.state)]) == OK
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in words else out

    return carry_out


@pytest.mark.usefixtures("spark")
def test_a_run_from_pictures_to_exports(
    tmp_path: Path, s3_prefix: str, store: RunStore, colors_model: Path, printed: Printed
) -> None:
    images = open_storage(f"{s3_prefix}/in 50%")
    contents = {path.name: path.read_bytes() for path in write_colors(tmp_path / "in", 8)}
    for name, content in contents.items():
        images.write(name, content)
    run = ["run", images.uri, "--model", str(colors_model), "--top-k", "3", "--truth", "filename", "--json"]
    first = printed(*run)
    assert (first["status"], first["ok"], first["computed"]) == ("complete", 8, 8)
    assert first["folder"] == f"{store.uri}/runs/{first['run_id']}"
    assert printed(*run)["status"] == "cached"
    second = printed(*run, "--resize", "pad")
    assert {one["run_id"] for one in printed("runs", "--json")} == {first["run_id"], second["run_id"]}
    assert "8 images: 8 ok, 0 with errors" in printed("show", first["run_id"])
    assert printed("show", "latest", "--json")["retry"] == 0
    assert printed("evaluate", first["run_id"], "--json")["top_1"] == 1.0
    report = printed("compare", first["run_id"], second["run_id"], "--json")
    assert (report["in_both"], report["agreement"]) == (8, 1.0)
    assert "Clean." in printed("verify", first["run_id"])
    assert printed("gc", "--json")["removed"] == []
    assert printed("runs", "--unfinished", "--json") == []
    printed("export", first["run_id"], str(tmp_path / "out.zip"), "--originals")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert "missing.txt" not in archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read("table.csv").decode("utf-8-sig"))))
        assert {row["file_name"]: archive.read(row["original"]) for row in rows} == contents
    assert not list(tmp_path.glob("*store*"))


def test_exports_have_thumbnails_and_no_places(tmp_path: Path, store: RunStore, printed: Printed) -> None:
    run_id = write_run(store, rows=45)
    places = {field.name for field in PLACE_FIELDS}
    printed("export", run_id, str(tmp_path / "out.parquet"))
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == [one for one in result_schema().names if one not in ("embedding", "activation")]
    pictures = dict(zip(table["image_id"].to_pylist(), table["thumbnail"].to_pylist(), strict=True))
    assert {name: picture for name, picture in pictures.items() if picture} == load_thumbnails(store, run_id, pictures)
    assert sum(picture is not None for picture in pictures.values()) == 41
    printed("export", run_id, str(tmp_path / "out.csv"))
    header, *rows = csv.reader(io.StringIO((tmp_path / "out.csv").read_text("utf-8-sig")))
    assert len(rows) == 45
    assert not places.intersection(header)
    printed("export", run_id, str(tmp_path / "out.html"))
    assert run_id in (tmp_path / "out.html").read_text()


def test_the_store_may_come_from_the_environment(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = write_run(store, rows=5)
    monkeypatch.setenv("SPARKCORE_STORE", f"{store.uri}/")
    monkeypatch.setenv("SPARKCORE_STATE", str(store.state))
    assert main(["runs", "--json"]) == OK
    assert [one["run_id"] for one in json.loads(capsys.readouterr().out)] == [run_id]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "access was denied"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "no answer from"),
    ],
)
@pytest.mark.parametrize("words", [["runs"], ["verify", "latest"], ["gc"], ["delete", "a", "--yes"]])
def test_a_store_that_cannot_be_read_ends_in_one_line(
    store: RunStore,
    words: list[str],
    name: str,
    value: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert main([*words, "--store", store.uri, "--state", str(store.state)]) == WRONG_REQUEST
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("Error: s3://")
    assert message in line
