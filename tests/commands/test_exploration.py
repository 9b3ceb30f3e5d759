"""Commands on the pictures of a real run."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparkcore.cli import main
from sparkcore.runs.opened import open_run
from tests.conftest import write_colors

Ask = Callable[..., Any]


@pytest.fixture
def ask(tmp_path: Path, colors_model: Path, spark: object, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run eight pictures of four colors and one without pixels; give the function that returns a command's JSON."""
    del spark
    write_colors(tmp_path / "in", 8)
    (tmp_path / "in" / "broken.jpg").write_text("not an image")
    store = ["--store", str(tmp_path / "store")]
    assert main(["run", str(tmp_path / "in"), "--model", str(colors_model), "--top-k", "3", *store]) == 0
    capsys.readouterr()

    def call(command: str, *words: str, run: str = "latest") -> Any:
        code = main([command, run, *words, *store, "--json"])
        printed = capsys.readouterr()
        return json.loads(printed.out) if code == 0 else (code, printed.err)

    return call


def test_the_pictures_of_a_run(ask: Ask, tmp_path: Path) -> None:
    ids = {row["file_name"]: row["image_id"] for row in ask("similar", str(_red(tmp_path)), "--count", "20")}
    assert len(ids) == 8
    assert all(name.startswith("red") for name in list(ids)[:2])
    reds = [name for name in ids if name.startswith("red")]
    found = ask("similar", ids[reds[0]], "--count", "2")
    assert (found[0]["file_name"], found[0]["similarity"]) == (reds[1], pytest.approx(1, abs=1e-3))
    assert set(found[0]) == {"image_id", "file_name", "similarity"}

    groups = ask("duplicates")
    assert {frozenset(one["file_name"].split("-")[0] for one in group["images"]) for group in groups} == {
        frozenset([color]) for color in ("red", "green", "blue", "white")
    }
    assert {group["kind"] for group in groups} == {"near"}
    assert [image["width"] for image in groups[0]["images"]] == sorted(
        (image["width"] for image in groups[0]["images"]), reverse=True
    )

    problems = {one["kind"]: len(one["images"]) for one in ask("quality", "--tiny", "10")["problems"]}
    assert (problems["low contrast"], problems["tiny"], problems["bright"]) == (8, 0, 2)

    drawn = ask("explain", ids[reds[0]], str(tmp_path / "why" / "red.png"), "--label", "red", "--against", "black")
    assert (drawn["label"], drawn["against"], drawn["method"]) == ("red", "black", "activation map")
    with Image.open(tmp_path / "why" / "red.png") as picture:
        assert picture.format == "PNG"

    laid_out = ask("map", str(tmp_path / "map" / "places.csv"))
    assert (laid_out["images"], laid_out["kept"]) == (9, 1)
    with (tmp_path / "map" / "places.csv").open(encoding="utf-8-sig", newline="") as file:
        places = {row["file_name"]: (row["x"], row["y"]) for row in csv.DictReader(file)}
    assert places.pop("broken.jpg") == ("", "")
    assert all(0 <= float(side) <= 1 for place in places.values() for side in place)
    assert len(places) == 8


def test_what_cannot_be_answered_is_said(ask: Ask, tmp_path: Path, colors_model: Path) -> None:
    code, said = ask("similar", "nothing")
    assert code == 2
    assert "Expected the id of an image of run" in said
    code, said = ask("similar", str(tmp_path / "in" / "broken.jpg"))
    assert (code, "broken.jpg: " in said) == (2, True)
    store = ["--store", str(tmp_path / "store"), "--features", "none"]
    assert main(["run", str(tmp_path / "in"), "--model", str(colors_model), *store]) == 0
    code, said = ask("similar", str(_red(tmp_path)))
    assert (code, "Run again with features" in said) == (2, True)
    assert {group["kind"] for group in ask("duplicates")} <= {"near", "exact"}

    ids = _ids(tmp_path)
    drawn = ask("explain", ids["red-0.png"], str(tmp_path / "why.png"), "--against", "black")
    assert (drawn["label"], drawn["method"]) == ("red", "occlusion")
    ask("explain", ids["red-0.png"], str(tmp_path / "why.npz"))
    with np.load(tmp_path / "why.npz") as found:
        assert found["labels"][0] == "red"
        assert found["maps"].shape == (5, 7, 7)
    code, said = ask("explain", ids["broken.jpg"], str(tmp_path / "why.png"))
    assert (code, "could not be read, so that it has no labels" in said) == (2, True)
    (tmp_path / "in" / "red-0.png").unlink()
    code, said = ask("explain", ids["red-0.png"], str(tmp_path / "why.png"))
    assert (code, "has no activation maps, so that the picture itself is needed" in said) == (2, True)


def _ids(folder: Path) -> dict[str, str]:
    table = open_run("latest", folder / "store").table
    return dict(zip(table["file_name"].to_pylist(), table["image_id"].to_pylist(), strict=True))


def _red(folder: Path) -> Path:
    path = folder / "another.png"
    Image.new("RGB", (50, 30), (255, 0, 0)).save(path)
    return path
