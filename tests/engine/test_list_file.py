from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparkcore.cli import main
from sparkcore.engine.list_file import ListFile
from sparkcore.errors import InputError
from sparkcore.origins import origin_of
from tests.conftest import write_colors


def listed(path: Path, roots: tuple[Path, ...] | None = None) -> tuple[list[str], int]:
    found = ListFile(path, roots, lambda: None)
    return [file.origin for file in found.files()], found.left_out


def test_paths_and_origins_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = write_colors(tmp_path / "a b", 3)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "list.txt"
    path.write_text(f"\ufeff{first}\n\n{origin_of(second)}\n a b/{third.name} \n/gone.png\n", encoding="utf-8")
    origins = [origin_of(one) for one in (first, second, third)]
    assert listed(path) == ([*origins, "file:/gone.png"], 0)
    assert listed(path, (tmp_path,)) == (origins, 1)
    for content in (b"s3://bucket/a.png", b"\xff"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="list: expected"):
            listed(path)
    with pytest.raises(InputError, match="list: expected a UTF-8 text file"):
        listed(tmp_path / "none.txt")


@pytest.mark.usefixtures("spark")
def test_a_run_over_a_list_with_true_labels_of_a_file(
    tmp_path: Path, colors_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write_colors(tmp_path / "photos", 6)
    (tmp_path / "list.txt").write_text("\n".join(map(str, paths[1:])), encoding="utf-8")
    rows = [
        "image,label",
        *(f"{path.name},{path.stem.split('-')[0]}" for path in paths),
        f"{paths[1]},red",
        "x.png,red",
    ]
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")

    def call(*arguments: Any) -> Any:
        assert main([*map(str, arguments), "--store", str(tmp_path / "store"), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    options = ("--list", tmp_path / "list.txt", "--model", colors_model, "--truth", tmp_path / "labels.csv")
    done = call("run", *options)
    assert (done["images"], done["ok"], done["true_labels"]) == (5, 5, 5)
    # green-1 is named twice, and the last word is that it is red.
    assert call("evaluate", done["run_id"])["top1"] == 0.8
    assert call("run", *options)["status"] == "cached"
    assert call("evaluate", done["run_id"])["top1"] == 0.8
    assert call("review", "stats", done["run_id"])["people"] == {"labels.csv": 5}
    assert main(["run", "--store", str(tmp_path / "store")]) == 2
    assert main(["run", str(tmp_path), "--truth", "none.csv", "--store", str(tmp_path / "store")]) == 2
