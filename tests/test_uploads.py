from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from sparkcore import uploads
from sparkcore.errors import InputError, RunFailedError
from sparkcore.uploads import SentFile, Upload
from tests.imaging.pictures import jpeg, png
from tests.read_only import read_only


def save_upload(files: Iterable[tuple[str, bytes]], store: Path) -> Upload:
    """Send (name, content) pairs."""
    sent = [SentFile(name, len(content), content.__bytes__) for name, content in files]
    return uploads.save_upload(sent, store)


def bomb(pixels_a_side: int) -> bytes:
    """Return a PNG of a few hundred bytes whose header promises that many pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", pixels_a_side, pixels_a_side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_an_upload_is_written_by_its_content(tmp_path: Path):
    files = [("dog.jpg", jpeg()), ("birds/tit.png", png())]
    upload = save_upload(files, tmp_path)
    assert upload == Upload(upload.folder, 2, ())
    assert upload.folder is not None
    assert upload.folder.parent == tmp_path / "uploads"
    assert (upload.folder / "dog.jpg").read_bytes() == jpeg()
    assert (upload.folder / "birds" / "tit.png").read_bytes() == png()
    assert save_upload(files[::-1], tmp_path) == upload
    assert save_upload(files[:1], tmp_path).folder != upload.folder
    assert len(list((tmp_path / "uploads").iterdir())) == 2


def test_the_same_upload_again_makes_the_folder_young(tmp_path: Path):
    first = save_upload([("dog.jpg", jpeg())], tmp_path).folder
    assert first is not None
    os.utime(first, (0, 0))
    assert save_upload([("dog.jpg", jpeg())], tmp_path).folder == first
    assert first.stat().st_mtime > 0  # `gc` removes old ones that no job uses yet


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bomb.png", bomb(11_000), "121 million pixels, more than the limit of 100"),
        (
            "huge.png",
            bomb(30_000),
            "The image has 900,000,000 pixels, which exceeds the safety limit of 178,956,970.",
        ),
        ("script.png", b"#!/bin/sh\nrm -rf /\n", "The file is text, not an image."),
        ("page.jpg", b"<html><script>alert(1)</script></html>", "The file is a web page, not an image."),
        ("nothing.jpg", b"", "The file is empty."),
        ("../../etc/cron.d/evil.jpg", jpeg(), "its name leads out of the upload folder"),
        ("/etc/evil.jpg", jpeg(), "its name leads out of the upload folder"),
        ("..\\evil.jpg", jpeg(), "its name leads out of the upload folder"),
        ("C:\\evil.jpg", jpeg(), "its name leads out of the upload folder"),
        ("a/b/c/d/e/f.jpg", jpeg(), "its name cannot be used"),
        ("a//b.jpg", jpeg(), "its name cannot be used"),
    ],
)
def test_a_hostile_file_is_refused_alone(tmp_path: Path, name: str, content: bytes, reason: str):
    upload = save_upload([(name, content), ("good.jpg", jpeg())], tmp_path)
    assert upload.refused == ((name, reason),)
    assert upload.folder is not None
    assert [path.name for path in upload.folder.rglob("*")] == ["good.jpg"]
    assert [path.name for path in tmp_path.iterdir()] == ["uploads"]


def test_nothing_is_written_where_no_file_is_good(tmp_path: Path):
    assert save_upload([("a.png", b"x")], tmp_path).folder is None
    assert list(tmp_path.iterdir()) == []


def test_names_are_made_safe_and_distinct(tmp_path: Path):
    names = ["A.jpg", "a.jpg", ".hidden.jpg", "_left_out.jpg", "x*?[1].jpg", "bell\a.jpg", "n" * 400 + ".jpg"]
    upload = save_upload([(name, jpeg()) for name in names], tmp_path)
    assert upload.folder is not None
    written = sorted(path.name for path in upload.folder.iterdir())
    long_name = "n" * 120 + ".jpg"
    assert written == ["A.jpg", "a-2.jpg", "bell.jpg", long_name, "u.hidden.jpg", "u_left_out.jpg", "x___1_.jpg"]


def test_too_many_files_are_refused_together(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected at most 500 files, received 800"):
        save_upload([(f"{number}.jpg", b"") for number in range(800)], tmp_path)


def test_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 3_000_000)
    with pytest.raises(InputError, match=r"expected at most 3 MB, received 4 MB"):
        save_upload([("a.jpg", bytes(4_000_000))], tmp_path)
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 2_000_000)
    assert save_upload([("a.jpg", bytes(2_500_000))], tmp_path).refused == (("a.jpg", "larger than 2 MB"),)


def test_no_file_is_read_before_the_totals_are_checked(tmp_path: Path):
    def read() -> bytes:
        raise AssertionError("read too soon")

    with pytest.raises(InputError, match=r"expected at most 500 MB, received 1,000 MB"):
        uploads.save_upload([SentFile("a.jpg", 1_000_000_000, read)], tmp_path)
    large = uploads.save_upload([SentFile("a.jpg", 60_000_000, read)], tmp_path)
    assert large.refused == (("a.jpg", "larger than 50 MB"),)


def test_a_picture_over_the_bounds_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "BOUNDS", replace(uploads.BOUNDS, pixels=1_000_000))
    upload = save_upload([("a.png", jpeg()), ("b.png", bomb(1010)), ("c.png", png())], tmp_path)
    assert upload.refused == (("b.png", "1 million pixels, more than the limit of 1"),)
    assert upload.accepted == 2


def test_a_store_that_cannot_be_written_is_said(tmp_path: Path):
    with read_only(tmp_path), pytest.raises(RunFailedError, match=r"^Upload: expected to write to .*, but "):
        save_upload([("a.jpg", jpeg())], tmp_path)
    assert list(tmp_path.iterdir()) == []
