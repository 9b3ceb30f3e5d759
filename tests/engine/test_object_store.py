"""Whole runs over images on a real S3 server, with a local store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sparkcore.cli import WRONG_REQUEST, main
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import Outcome, run
from sparkcore.errors import ConfigError
from sparkcore.progress import Step, Watch
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.schema import result_schema
from sparkcore.storage.opening import open_storage
from tests.conftest import write_colors
from tests.imaging.pictures import write_awkward_folder

Request = Callable[..., RunConfig]
PLACE = {"image_id", "origin", "modified_at", "version"}  # what differs between a folder and a bucket
NUMBERS = ("score", "margin", "entropy")  # of another batch: equal but for rounding


def upload(folder: Path, uri: str) -> None:
    storage = open_storage(uri)
    for entry in open_storage(str(folder)).list():
        storage.write(entry.name, (folder / entry.name).read_bytes())


def rows(outcome: Outcome, engine: EngineConfig) -> dict[str, dict[str, object]]:
    columns = [name for name in result_schema().names if name not in PLACE]
    table = read_parts(RunStore(engine.store), outcome.manifest.run_id, columns)
    return {str(row["file_name"]): row for row in table.to_pylist()}


@pytest.mark.usefixtures("spark")
def test_a_bucket_gives_the_same_rows_as_a_folder(
    tmp_path: Path, engine: EngineConfig, request_for: Request, s3_prefix: str
) -> None:
    write_awkward_folder(tmp_path / "in")
    write_colors(tmp_path / "in" / "a b" / "50%#+😀", 40)
    images = f"{s3_prefix}/in"
    upload(tmp_path / "in", images)
    expected = rows(run(request_for(tmp_path / "in", truth="folder"), engine), engine)
    found = rows(run(request_for(images, truth="folder"), engine), engine)
    assert found.keys() == expected.keys()
    for name, row in found.items():
        same = expected[name]
        assert [row[n] for n in NUMBERS] == pytest.approx([same[n] for n in NUMBERS], abs=1e-5), name
        assert row | dict.fromkeys((*NUMBERS, "top")) == same | dict.fromkeys((*NUMBERS, "top"))
    assert len(expected) > 45
    assert {row["error_type"] for row in expected.values()} > {None, "empty", "not_an_image"}
    assert run(request_for(f"{images}/", truth="folder"), engine).status == "cached"


@pytest.mark.usefixtures("spark")
def test_an_object_that_is_gone_is_a_row(
    tmp_path: Path, engine: EngineConfig, request_for: Request, s3_prefix: str
) -> None:
    write_colors(tmp_path / "in", 4)
    upload(tmp_path / "in", s3_prefix)

    def remove(step: Step) -> None:
        if step.phase == "classifying":
            open_storage(s3_prefix).delete("green-1.png")

    outcome = run(request_for(s3_prefix), engine, watch=Watch(progress=remove))
    found = {name: (row["label"], row["error_type"]) for name, row in rows(outcome, engine).items()}
    assert found == {
        "red-0.png": ("red", None), "green-1.png": (None, "vanished"), "blue-2.png": ("blue", None),
        "white-3.png": ("white", None),
    }  # fmt: skip


@pytest.mark.usefixtures("spark")
def test_only_new_objects_are_computed(
    tmp_path: Path, engine: EngineConfig, request_for: Request, s3_prefix: str
) -> None:
    write_colors(tmp_path / "in", 3)
    upload(tmp_path / "in", s3_prefix)
    run(request_for(s3_prefix), engine)
    open_storage(s3_prefix).write("new.png", (tmp_path / "in" / "red-0.png").read_bytes())
    counts = run(request_for(s3_prefix), engine).manifest.counts
    assert (counts["images"], counts["reused"], counts["computed"]) == (4, 3, 1)


@pytest.mark.parametrize(
    ("images", "environment", "message"),
    [
        ("s3://pictures/a", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "Error: s3://pictures: access was denied."),
        ("s3://no-such-bucket/a", {}, "Error: s3://no-such-bucket: expected a bucket, received none."),
        ("s3://pictures/a", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Error: s3://pictures: no answer from"),
    ],
)
@pytest.mark.usefixtures("s3_prefix")
def test_the_command_line_says_in_one_line_why_a_bucket_cannot_be_read(
    tmp_path: Path,
    colors_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    images: str,
    environment: dict[str, str],
    message: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["run", images, "--model", str(colors_model), "--store", str(tmp_path / "store"), "--json"]) == (
        WRONG_REQUEST
    )
    out, err = capfd.readouterr()
    assert out == ""
    (line,) = [line for line in err.splitlines() if line.startswith("Error")]
    assert line.startswith(message)


def test_sparks_image_source_reads_no_object_store(engine: EngineConfig, request_for: Request) -> None:
    with pytest.raises(ConfigError, match="expected bytes for images on an object store"):
        run(request_for("s3://pictures/a", reader="image"), engine)
