from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from PIL import Image

from sparkcore.analysis.archive import ZipContents, write_zip
from sparkcore.errors import InputError
from sparkcore.imaging.annotate import annotate
from tests.analysis.tables import failed, row, table_of

CAT = ("n1", "cat", 0.7)


def png(color: tuple[int, int, int], size: tuple[int, int] = (160, 120)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (160, 120)).save(buffer, "JPEG")
    return buffer.getvalue()


def rows_of(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    text = archive.read("table.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_zip_holds_annotated_pictures_in_full_size():
    file = io.BytesIO()
    table = table_of(row("red.png", CAT))
    assert write_zip(table, file, lambda _: png((200, 0, 0))) == ZipContents(1, ())
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["red.jpg", "table.csv"]
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
        assert archive.namelist() == ["ok.jpg", "table.csv", "missing.txt", "manifest.json"]
        assert json.loads(archive.read("manifest.json")) == {"run_id": "abc"}
        assert [found["picture"] for found in rows_of(archive)] == ["ok.jpg", "", "", "", ""]
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
        (["missing.txt", "manifest.json", "table.csv"], ["missing.jpg", "manifest.jpg", "table.jpg"]),
    ],
)
def test_zip_names_are_safe_and_unique(names: list[str | None], expected: list[str]):
    rows = [row("x", CAT, origin=f"file:/{n}") | {"file_name": name} for n, name in enumerate(names)]
    file = io.BytesIO()
    write_zip(table_of(*rows), file, lambda _: png((0, 0, 0), (8, 8)))
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == [*expected, "table.csv"]
        assert [found["picture"] for found in rows_of(archive)] == expected


def test_zip_draws_words_and_has_the_results_as_a_table():
    file = io.BytesIO()
    table = table_of(row("a.png", ("n1", "big_cat", 0.7), truth="big cat"), row("=b.png", ("n2", "cat", 0.7)))
    write_zip(table, file, lambda _: png((0, 0, 0)))
    with zipfile.ZipFile(file) as archive:
        found = rows_of(archive)
        assert archive.getinfo("table.csv").compress_type == zipfile.ZIP_DEFLATED
    names = ("picture", "file_name", "label", "true_label", "correct")
    assert [[one[name] for name in names] for one in found] == [
        ["a.jpg", "a.png", "big cat", "big cat", "true"],
        ["'=b.jpg", "'=b.png", "cat", "", ""],
    ]
    assert "original" not in found[0]


def test_zip_holds_the_originals_on_request():
    contents = {"file:/data/a.png": png((1, 2, 3)), "file:/data/A.exe": png((4, 5, 6)), "file:/data/c": jpeg()}
    table = table_of(
        *(row(origin.rpartition("/")[2], CAT, origin=origin) for origin in contents), failed("d.png", "empty")
    )
    file = io.BytesIO()
    assert write_zip(table, file, contents.__getitem__, originals=True).pictures == 3
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == [
            *("a.jpg", "originals/a.png", "A-2.jpg", "originals/A-2.png", "c.jpg", "originals/c.jpg"),
            *("table.csv", "missing.txt"),
        ]
        found = [(one["picture"], one["original"]) for one in rows_of(archive)]
        assert [archive.read(original) for _, original in found[:3]] == list(contents.values())
    assert found == [
        ("a.jpg", "originals/a.png"),
        ("A-2.jpg", "originals/A-2.png"),
        ("c.jpg", "originals/c.jpg"),
        ("", ""),
    ]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\boot.ini", "/abs/x.png", "CON.png", "a/../b.jpg", "C:evil.sh", "..", ""]
)
def test_originals_of_hostile_names_stay_in_their_folder(name: str):
    file = io.BytesIO()
    table = table_of(row("x", CAT) | {"file_name": name})
    write_zip(table, file, lambda _: png((0, 0, 0), (8, 8)), originals=True)
    with zipfile.ZipFile(file) as archive:
        (original,) = [found for found in archive.namelist() if found.startswith("originals")]
    folder, _, rest = original.partition("/")
    assert folder == "originals"
    assert rest.endswith(".png")
    assert not set(rest) & set('/\\:*?"<>|')
    assert rest.rpartition(".")[0].casefold() not in ("con", "..", ".")


def test_an_original_that_may_not_be_read_is_left_out():
    def refuse(origin: str) -> bytes:
        raise InputError(f"{origin} is not below an allowed folder")

    file = io.BytesIO()
    write_zip(table_of(row("a.png", CAT)), file, refuse, originals=True)
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["table.csv", "missing.txt"]
