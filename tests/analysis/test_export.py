from __future__ import annotations

import csv
import datetime
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkcore.analysis.export import write_csv, write_parquet
from sparkcore.classes import ClassName
from sparkcore.runs.class_names import with_class_names
from tests.analysis.tables import failed, row, table_of

CAT, DOG = ("n1", "cat", 0.7), ("n2", "dog", 0.25)


def csv_of(table: pa.Table) -> list[dict[str, str]]:
    file = io.BytesIO()
    write_csv(table, file)
    return list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline="")))


def test_csv_holds_every_column_but_pictures():
    taken = datetime.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.UTC)
    values = {"size_bytes": 12345, "modified_at": taken, "width": 40, "height": 30, "thumbnail": b"\xff\xd8"}
    table = table_of(
        row('a, "b"\nü.jpg', CAT, DOG, **values, truth="cat"), failed("bad.jpg", "empty", truth="dog"), thumbnail=True
    )
    first, second = csv_of(table)
    assert first == {
        "image_id": table["image_id"][0].as_py(),
        "origin": 'file:/data/a, "b"\nü.jpg',
        "file_name": 'a, "b"\nü.jpg',
        "size_bytes": "12345",
        "modified_at": "2026-01-02 03:04:05",
        "version": "",
        "format": "",
        "mode": "",
        "width": "40",
        "height": "30",
        "channels": "",
        "status": "ok",
        "error_type": "",
        "error_message": "",
        "class_id": "n1",
        "label": "cat",
        "score": "0.7",
        "true_class_id": "n1",
        "true_label": "cat",
        "correct": "true",
        "margin": "0.45",
        "entropy": "",
        "content_hash": "",
        "perceptual_hash": "",
        "brightness": "",
        "contrast": "",
        "sharpness": "",
        "top2_class_id": "n2",
        "top2_label": "dog",
        "top2_score": "0.25",
    }
    names = ("file_name", "error_type", "label", "score", "true_label", "correct", "top2_label")
    assert [second[name] for name in names] == ["bad.jpg", "empty", "", "", "dog", "", ""]


def test_csv_names_classes_in_words_and_by_id():
    classes = (ClassName("n1", "big_cat"), ClassName("n2", "dog"))
    table = table_of(
        row("a.jpg", ("n1", "big_cat", 0.5), ("n1", "big_cat", 0.25), truth="n2"),
        row("b.jpg", ("n2", "dog", 0.5), truth="n01534433"),
        row("c.jpg", ("n2", "dog", 0.5), truth="my_cat"),
        row("d.jpg", ("n2", "dog", 0.5)),
    )
    found = csv_of(with_class_names(table, classes))
    names = ("label", "top2_label", "true_class_id", "true_label", "correct")
    assert [[one[name] for name in names] for one in found] == [
        ["big cat", "big cat", "n2", "dog", "false"],
        ["dog", "", "n01534433", "junco", "false"],
        ["dog", "", "", "my cat", "false"],
        ["dog", "", "", "", ""],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_csv_runs_no_formula(start: str):
    text = start + "HYPERLINK(1)"
    other = start + "HYPERLINK(2)"
    (found,) = csv_of(table_of(row(text, (text, text, 0.5), (text, text, 0.1), origin=text, truth=other)))
    cells = [found[name] for name in ("file_name", "origin", "label", "class_id", "top2_label", "top2_class_id")]
    assert cells == ["'" + text] * 6
    assert found["true_label"] == "'" + other
    assert csv_of(table_of(row("a", (text, "x", 0.5), truth=text)))[0]["true_class_id"] == "'" + text


def test_csv_leaves_numbers_and_other_texts_alone():
    (found,) = csv_of(table_of(row("a=b-1.jpg", ("n1", "x", -0.5), ("n2", "y", -0.5), entropy=-1e-7)))
    assert [found[name] for name in ("file_name", "score", "entropy", "top2_score")] == [
        "a=b-1.jpg",
        "-0.5",
        "-1e-7",
        "-0.5",
    ]


def test_csv_begins_with_a_byte_order_mark_and_names_its_columns_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sparkcore.analysis.export.CSV_ROWS", 2)
    file = io.BytesIO()
    write_csv(table_of(*(row(f"{n}.jpg", CAT) for n in range(5))), file)
    assert file.getvalue().startswith(b'\xef\xbb\xbf"image_id","origin"')
    assert [found["file_name"] for found in csv_of(table_of(*(row(f"{n}.jpg", CAT) for n in range(5))))] == [
        f"{n}.jpg" for n in range(5)
    ]
    assert file.getvalue().count(b"image_id") == 1


def test_csv_of_nothing_has_its_header():
    file = io.BytesIO()
    write_csv(table_of(), file)
    header = file.getvalue().decode("utf-8-sig").splitlines()
    assert len(header) == 1
    assert '"label","score","true_class_id","true_label","correct","margin","entropy"' in header[0]


def test_csv_of_a_table_without_predictions_has_its_own_columns():
    table = pa.table({"label": ["=big_cat"], "file": ["a_b"], "count": [3]})
    assert csv_of(table) == [{"label": "'=big cat", "file": "a_b", "count": "3"}]


def test_parquet_equals_the_rows():
    table = table_of(row("a.jpg", CAT, DOG), failed("b.jpg", "empty"))
    file = io.BytesIO()
    write_parquet(table, file, manifest={"run_id": "abc"})
    assert pq.read_table(io.BytesIO(file.getvalue())).equals(table)
    metadata = pq.read_schema(io.BytesIO(file.getvalue())).metadata
    assert json.loads(metadata[b"sparkcore"]) == {"run_id": "abc"}


def test_parquet_takes_thumbnails_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sparkcore.analysis.export.THUMBNAIL_ROWS", 2)
    rows = [row(f"{n}.jpg", CAT, thumbnail=bytes([n])) for n in range(4)] + [failed("b.jpg", "empty")]
    table = table_of(*rows, thumbnail=True)
    pictures = {found["image_id"]: found["thumbnail"] for found in rows if "thumbnail" in found}
    asked = []

    def thumbnails(ids: list[str]) -> dict[str, bytes]:
        asked.append(len(ids))
        return {image: pictures[image] for image in ids if image in pictures}

    file = io.BytesIO()
    write_parquet(table.drop_columns(["thumbnail"]), file, thumbnails=thumbnails)
    assert pq.read_table(io.BytesIO(file.getvalue())).equals(table)
    assert asked == [2, 2, 1]


def test_parquet_of_nothing_has_its_columns():
    file = io.BytesIO()
    write_parquet(table_of(), file, thumbnails=lambda ids: dict.fromkeys(ids, b""))
    assert pq.read_table(io.BytesIO(file.getvalue())).equals(table_of(thumbnail=True))
