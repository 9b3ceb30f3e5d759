from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.classes import ClassName, imagenet_classes
from sparkcore.errors import ModelError
from sparkcore.models.labels import classes_from_json, read_labels
from tests.conftest import shared

CATS = (ClassName("n1", "house cat"), ClassName("n2", "lynx"))
PLAIN = (ClassName("house cat", "house cat"), ClassName("lynx", "lynx"))


def test_imagenet_classes_can_be_read_from_a_csv_file():
    assert read_labels(shared("data/imagenet_classes.csv")) == imagenet_classes()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("plain.txt", "house cat\nlynx\n\n", PLAIN),
        ("bom.txt", "\ufeffhouse cat\r\nlynx\r\n", PLAIN),
        ("ids.txt", "n1 house cat\nn2 lynx\n", CATS),
        ("tabs.txt", "n1\thouse cat\nn2\tlynx\n", CATS),
        ("index.txt", "1 lynx\n0 house cat\n", PLAIN),
        ("one.csv", "house cat\nlynx\n", PLAIN),
        ("two.csv", "n1,house cat\nn2,lynx\n", CATS),
        ("index.csv", "1,lynx\n0,house cat\n", PLAIN),
        ("three.csv", "1,n2,lynx\n0,n1,house cat\n", CATS),
        ("header.csv", "label,class_id\nhouse cat,n1\nlynx,n2\n", CATS),
        ("numbers.csv", "class_id,label\n17,a\n4,b\n", (ClassName("17", "a"), ClassName("4", "b"))),
        ("full.csv", "index,class_id,label\n1,n2,lynx\n0,n1,house cat\n", CATS),
        ("list.json", '["house cat", "lynx"]', PLAIN),
        ("dict.json", '{"1": "lynx", "0": "house cat"}', PLAIN),
        ("pairs.json", '{"0": ["n1", "house cat"], "1": ["n2", "lynx"]}', CATS),
    ],
)
def test_formats(tmp_path: Path, name: str, text: str, expected: tuple[ClassName, ...]):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert read_labels(path) == expected


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("empty.txt", "", "at least one class"),
        ("twice.txt", "cat\ncat\n", "cat more than once"),
        ("gap.json", '{"0": "a", "2": "b"}', "the indices 0 to 1"),
        ("number.json", "[1, 2]", "received 1"),
        ("text.json", '"cat"', "received a str"),
        ("broken.json", "[", "cannot be read"),
        ("uneven.csv", "n1,cat\nlynx\n", "the same one to three columns"),
        ("short.csv", "class_id,label\nn1\n", "the 2 columns of the header"),
        ("blank.csv", "n1,\nn2,lynx\n", "an empty one"),
    ],
)
def test_errors_name_the_reason_and_the_file(tmp_path: Path, name: str, text: str, reason: str):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        read_labels(path)
    assert reason in str(error.value)
    assert name in str(error.value)


def test_the_search_for_duplicates_is_linear():
    # The time limit of each test ends one that compares all pairs.
    many = [f"class {number}" for number in range(300_000)]
    assert len(classes_from_json(many)) == 300_000
    with pytest.raises(ModelError, match="received class 7 more than once"):
        classes_from_json([*many, "class 7"])


def test_missing_and_binary_files(tmp_path: Path):
    with pytest.raises(ModelError, match=r"No such file"):
        read_labels(tmp_path / "nothing.txt")
    (tmp_path / "image.txt").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ModelError, match="UTF-8"):
        read_labels(tmp_path / "image.txt")
