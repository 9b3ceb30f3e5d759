from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparkcore.cli import main
from sparkcore.engine.list_file import ListFile
from sparkcore.errors import InputError
from sparkcore.origins import origin_of
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from sparkcore.storage.opening import open_storage
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
    for content in (b"hdfs://host/a.png", b"\xff"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="list: expected"):
            listed(path)
    with pytest.raises(InputError, match="list: expected a UTF-8 text file"):
        listed(tmp_path / "none.txt")
    with pytest.raises(InputError, match="list: expected a file in one of the allowed folders"):
        listed(path, (tmp_path / "a b",))


@pytest.mark.usefixtures("spark")
def test_a_list_may_name_objects_of_one_bucket(
    tmp_path: Path, colors_model: Path, s3_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    storage, uris = open_storage(s3_prefix), []
    for path in write_colors(tmp_path / "photos", 3):
        storage.write(f"in {path.name}", path.read_bytes())
        uris.append(f"{s3_prefix}/in%20{path.name}")
    path = tmp_path / "list.txt"
    local = tmp_path / "photos" / "red-0.png"
    path.write_text("\n".join([*uris[:2], f"{s3_prefix}/in blue-2.png", f"{s3_prefix}/gone.png", str(local)]))
    assert listed(path, (tmp_path, "s3://other"))[1] == 4
    assert listed(path, (tmp_path, s3_prefix))[1] == 0
    assert main(["run", "--list", str(path), "--model", str(colors_model), "--store", str(tmp_path / "store")]) == 0
    run_id = capsys.readouterr().out.split(":")[0].removeprefix("Run ")
    rows = load_results(RunStore(tmp_path / "store"), run_id, ["origin", "label", "error_type"]).to_pylist()
    found = {row["origin"]: row["label"] or row["error_type"] for row in rows}
    expected = dict(zip(uris, ("red", "green", "blue"), strict=True))
    assert found == {**expected, f"{s3_prefix}/gone.png": "vanished", origin_of(local): "red"}
    path.write_text(f"{uris[0]}\ns3://another/a.png")
    with pytest.raises(InputError, match="list: expected objects of one bucket"):
        listed(path)


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
