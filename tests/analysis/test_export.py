from __future__ import annotations

import csv
import datetime
import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sparkcore.analysis.export import ZipContents, write_csv, write_parquet, write_zip
from sparkcore.errors import InputError
from sparkcore.imaging.annotate import annotate
from tests.analysis.tables import failed, row, table_of

CAT, DOG = ("n1", "cat", 0.7), ("n2", "dog", 0.25)


def csv_of(table: pa.Table) -> list[dict[str, str]]:
    file = io.BytesIO()
    write_csv(table, file)
    return list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline="")))


def png(color: tuple[int, int, int], size: tuple[int, int] = (160, 120)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def test_csv_holds_every_column_but_pictures():
    taken = datetime.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.UTC)
    values = {"size_bytes": 12345, "modified_at": taken, "width": 40, "height": 30, "thumbnail": b"\xff\xd8"}
    table = table_of(row('a, "b"\nü.jpg', CAT, DOG, **values, truth="cat"), failed("bad.jpg", "empty"), thumbnail=True)
    first, second = csv_of(table)
    assert first == {
        "image_id": table["image_id"][0].as_py(),
        "origin": 'file:/data/a, "b"\nü.jpg',
        "file_name": 'a, "b"\nü.jpg',
        "size_bytes": "12345",
        "modified_at": "2026-01-02 03:04:05",
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
        "margin": "0.45",
        "entropy": "",
        "top1_class_id": "n1",
        "top1_label": "cat",
        "top1_score": "0.7",
        "top2_class_id": "n2",
        "top2_label": "dog",
        "top2_score": "0.25",
        "truth": "cat",
    }
    assert (second["file_name"], second["error_type"], second["top1_label"], second["score"]) == (
        "bad.jpg",
        "empty",
        "",
        "",
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_csv_runs_no_formula(start: str):
    text = start + "HYPERLINK(1)"
    (found,) = csv_of(table_of(row(text, ("x", text, 0.5), origin=text, truth=text)))
    cells = [found[name] for name in ("file_name", "origin", "label", "top1_label", "truth")]
    assert cells == ["'" + text] * 5


def test_csv_leaves_numbers_and_other_texts_alone():
    (found,) = csv_of(table_of(row("a=b-1.jpg", ("-", "x", -0.5), entropy=-1e-7)))
    assert [found[name] for name in ("file_name", "score", "entropy", "top1_score")] == [
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
    assert '"label","score","margin","entropy","top1_class_id","top1_label","top1_score","truth"' in header[0]


def test_csv_of_a_table_without_predictions_has_its_own_columns():
    assert csv_of(pa.table({"label": ["=cat"], "count": [3]})) == [{"label": "'=cat", "count": "3"}]


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


def test_zip_holds_annotated_pictures_in_full_size():
    file = io.BytesIO()
    table = table_of(row("red.png", CAT))
    assert write_zip(table, file, lambda _: png((200, 0, 0))) == ZipContents(1, ())
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["red.jpg"]
        picture = Image.open(io.BytesIO(archive.read("red.jpg")))
    expected = io.BytesIO()
    annotate(Image.new("RGB", (160, 120), (200, 0, 0)), "cat", table["score"][0].as_py()).save(
        expected, "JPEG", quality=90
    )
    assert (picture.size, picture.tobytes()) == ((160, 120), Image.open(expected).tobytes())


def test_zip_lists_what_is_missing():
    def open_image(origin: str) -> bytes:
        if "gone" in origin:
            raise FileNotFoundError(2, "No such file", origin)
        if "outside" in origin:
            raise InputError("not below an allowed folder")
        return b"text" if "changed" in origin else png((0, 0, 0))

    names = ("ok.png", "gone.png", "outside.png", "changed\n.png")
    table = table_of(*(row(name, CAT) for name in names), failed("bad.png", "truncated", "ends too early"))
    file = io.BytesIO()
    contents = write_zip(table, file, open_image, manifest={"run_id": "abc"})
    assert (contents.pictures, [origin for origin, _ in contents.missing]) == (
        1,
        ["file:/data/gone.png", "file:/data/outside.png", "file:/data/changed\n.png", "file:/data/bad.png"],
    )
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["ok.jpg", "missing.txt", "manifest.json"]
        assert json.loads(archive.read("manifest.json")) == {"run_id": "abc"}
        lines = archive.read("missing.txt").decode().splitlines()
    assert lines[:2] == ["4 images are not in this archive:", ""]
    assert lines[2] == "file:/data/gone.png\t[Errno 2] No such file: 'file:/data/gone.png'"
    assert lines[3] == "file:/data/outside.png\tnot below an allowed folder"
    assert lines[4].startswith("file:/data/changed .png\t")
    assert lines[5] == "file:/data/bad.png\tends too early"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.jpg", "a.jpg", "A.png", "a-2.png"], ["a.jpg", "a-2.jpg", "A-3.jpg", "a-2-2.jpg"]),
        (["../../etc/passwd", "..\\..\\boot.ini", "/abs.jpg"], ["passwd.jpg", "boot.jpg", "abs.jpg"]),
        (["..", ".hidden", "", None], ["_.jpg", "hidden.jpg", "_-2.jpg", "_-3.jpg"]),
        (["CON.png", "nul", "com1.jpg"], ["_CON.jpg", "_nul.jpg", "_com1.jpg"]),
        (
            ["C:evil|name?.jpg", "tab\there\x00.jpg", "gpj.\u202eexe.png"],
            ["C_evil_name_.jpg", "tabhere.jpg", "gpj.exe.jpg"],
        ),
        (["e\u0301.jpg", "\u00e9.jpg"], ["\u00e9.jpg", "\u00e9-2.jpg"]),
        (["x" * 300 + ".jpg", "\U0001f600" * 100 + ".png"], ["x" * 120 + ".jpg", "\U0001f600" * 60 + ".jpg"]),
        (["missing.txt", "manifest.json"], ["missing.jpg", "manifest.jpg"]),
    ],
)
def test_zip_names_are_safe_and_unique(names: list[str | None], expected: list[str]):
    rows = [row("x", CAT, origin=f"file:/{n}") | {"file_name": name} for n, name in enumerate(names)]
    file = io.BytesIO()
    write_zip(table_of(*rows), file, lambda _: png((0, 0, 0), (8, 8)))
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == expected
