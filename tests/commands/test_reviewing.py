from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sparkcore.cli import main
from sparkcore.origins import origin_of
from sparkcore.reviews.book import ReviewBook
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from tests.runs_fixture import Made, write_run


@pytest.fixture
def run(tmp_path: Path) -> str:
    """Give a run of 30 images without true labels; seven of ten predictions are those of the drawn fruit."""
    return write_run(tmp_path / "store", truth=False, error_every=0, images=str(tmp_path / "photos"))


def image_ids(store: Path, run: str) -> list[str]:
    return load_results(RunStore(store), run)["image_id"].to_pylist()


def write_csv(path: Path, header: str, *lines: str) -> Path:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def test_imported_labels_become_the_truth(tmp_path: Path, run: str, shell: Any) -> None:
    ids = image_ids(tmp_path / "store", run)
    labels = ["n01", "Banana", "date-palm", "date palm", "elderberry", "not in any class", "cannot tell", "papaya"]
    lines = [f"{one},{label}" for one, label in zip(ids, labels, strict=False)]
    file = write_csv(tmp_path / "in.csv", "image_id,label", *lines, "ffffffffffffffff,n01")
    said = shell("review", "import", run, file, "--by", "ann")
    assert (said["imported"], said["unknown"], said["new_classes"]) == (8, 1, ["papaya"])
    found = shell("evaluate", run)
    # 0, 1, 3 and 4 are right, 2 is predicted "date palm" too; 5 and 7 are no class of the model.
    assert (found["top1"], found["support"], found["true_labels"]) == (5 / 7, 7, {"reviewed": 7})
    assert found["low"] < found["top1"] < found["high"] <= found["top5"] + 1
    stats = shell("review", "stats", run)
    assert {name: stats[name] for name in ("images", "reviewed", "judged", "correct", "people")} == {
        "images": 30,
        "reviewed": 8,
        "judged": 7,
        "correct": 5,
        "people": {"ann": 8},
    }
    assert (stats["not_in_any_class"], stats["cannot_tell"]) == (1, 1)
    # A later run of another model over the same files has them at once.
    later = write_run(tmp_path / "store", Made(truth=False, error_every=0, images=str(tmp_path / "photos"), shift=1))
    assert shell("evaluate", later)["support"] == 7
    assert shell("compare", run, later)["in_both"] == 30


def test_a_sample_judges_the_whole_run(tmp_path: Path, run: str, shell: Any) -> None:
    table = load_results(RunStore(tmp_path / "store"), run)
    lines = [f"{row['image_id']},{row['label']}" for row in table.to_pylist()]
    shell("review", "import", run, write_csv(tmp_path / "in.csv", "image_id,label", *lines))
    whole = shell("review", "stats", run)["whole"]
    assert whole == {"images": 30, "judged": 30, "unclear": 0, "accuracy": 1.0, "low": 1.0, "high": 1.0, "more": 0}


def test_what_is_exported_is_read_back(tmp_path: Path, run: str, shell: Any) -> None:
    ids = image_ids(tmp_path / "store", run)
    file = write_csv(
        tmp_path / "in.csv",
        "image_id,label,star,tags,note",
        f'{ids[0]},apple,yes,"near; far",=1+1',
        f"{ids[1]},,,dark,",
        f"{ids[2]},papaya,,,",
    )
    shell("review", "import", run, file, "--by", "ann")
    assert shell("review", "export", run, tmp_path / "out.csv")["reviews"] == 3
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["label"], row["star"], row["tags"]) for row in rows] == [
        ("apple", "true", "near, far"),
        ("", "false", "dark"),
        ("papaya", "false", ""),
    ]
    assert rows[0]["note"] == "'=1+1"
    before = ReviewBook(RunStore(tmp_path / "store")).states()
    for path in (tmp_path / "store" / "reviews").iterdir():
        path.unlink()
    (tmp_path / "store" / "reviews.sqlite").unlink()
    shell("review", "import", run, tmp_path / "out.csv", "--by", "ann")
    after = ReviewBook(RunStore(tmp_path / "store")).states()
    kept = ("answer", "star", "tags", "note", "by")
    assert [[getattr(states[key], name) for name in kept] for states in (after,) for key in sorted(before)] == [
        [getattr(before[key], name) for name in kept] for key in sorted(before)
    ]


def test_label_studio_gets_predictions_and_gives_annotations(tmp_path: Path, run: str, shell: Any) -> None:
    ids = image_ids(tmp_path / "store", run)
    shell("review", "import", run, write_csv(tmp_path / "in.csv", "image_id,label", f"{ids[3]},papaya"))
    assert shell("review", "export", run, tmp_path / "tasks.json") == {
        "run_id": run,
        "format": "label-studio",
        "out": str(tmp_path / "tasks.json"),
        "tasks": 30,
        "reviews": 1,
    }
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    first = tasks[3]
    assert first["data"]["image"].startswith("/data/local-files/?d=")
    choice = {"from_name": "label", "to_name": "image", "type": "choices"}
    (result,) = first["predictions"][0]["result"]
    assert result == {**choice, "id": f"{ids[3]}-p", "value": {"choices": ["date palm"]}}
    assert first["annotations"][0]["result"][0]["value"] == {"choices": ["papaya"]}
    config = (tmp_path / "tasks.xml").read_text()
    assert '<Choices name="label" toName="image" choice="single">' in config
    assert all(f'<Choice value="{name}"/>' in config for name in ("date palm", "papaya"))
    # What Label Studio exports after somebody has annotated: JSON, and JSON-MIN.
    wrong = {"result": [{**result, "value": {"choices": ["apple"]}}], "was_cancelled": True}
    done = [{"id": 1, "data": first["data"], "annotations": [{"result": [result]}, wrong]}]
    (tmp_path / "done.json").write_text(json.dumps([*done, {"id": 2, "data": tasks[0]["data"], "annotations": []}]))
    assert shell("review", "import", run, tmp_path / "done.json")["imported"] == 1
    (tmp_path / "min.json").write_text(json.dumps([{"image_id": ids[0], "label": "cherry pie"}]))
    assert shell("review", "import", run, tmp_path / "min.json")["imported"] == 1
    assert shell("evaluate", run)["top1"] == 0.5


@pytest.mark.parametrize("links", [False, True])
def test_a_folder_for_each_label(tmp_path: Path, run: str, shell: Any, links: bool) -> None:
    table = load_results(RunStore(tmp_path / "store"), run)
    for number in range(4):
        folder = tmp_path / "photos" / f"n0{number % 5 + 1}"
        folder.mkdir(parents=True)
        path = folder / f"image-{number:04d}.jpg"
        Image.new("RGB", (9, 9)).save(path)
        assert table["origin"][number].as_py() == origin_of(path)
    labels = ["St. Bernard", "a/b", "apple", "cannot tell", "apple"]
    lines = [f"{one},{label}" for one, label in zip(table["image_id"].to_pylist(), labels, strict=False)]
    shell("review", "import", run, write_csv(tmp_path / "in.csv", "image_id,label", *lines))
    extra = ("--links",) if links else ()
    said = shell("review", "export", run, tmp_path / "tree", *extra)
    assert (said["pictures"], said["folders"], said["missing"]) == (3, 3, 1)
    found = sorted((tmp_path / "tree").rglob("*.jpg"))
    assert [str(path.relative_to(tmp_path / "tree")) for path in found] == [
        "St. Bernard/image-0000.jpg",
        "a-b/image-0001.jpg",
        "apple/image-0002.jpg",
    ]
    assert [path.is_symlink() for path in found] == [links] * 3
    assert {path.read_bytes() for path in found} == {(tmp_path / "photos" / "n01" / "image-0000.jpg").read_bytes()}
    assert main(["review", "export", run, str(tmp_path / "tree"), "--store", str(tmp_path / "store")]) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "name,label\n1,2\n", "expected a UTF-8 CSV with the columns image_id and label"),
        ("a.csv", "image_id,label\n1\n", "line 2 has not 2 cells"),
        ("a.csv", "image_id,label\n0123456789abcdef,apple\n", "received none in 1 lines"),
        ("a.csv", "image_id,label,star\n1,2,maybe\n", "star in line 2 is 'maybe'"),
        ("a.json", '{"a": 1}', "a list of tasks was expected"),
    ],
)
def test_other_files_are_refused(
    tmp_path: Path, run: str, capsys: pytest.CaptureFixture[str], name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    assert main(["review", "import", run, str(tmp_path / name), "--store", str(tmp_path / "store")]) == 2
    assert message in capsys.readouterr().err
    assert main(["evaluate", run, "--store", str(tmp_path / "store")]) == 2
    assert "review some of the images" in capsys.readouterr().err
