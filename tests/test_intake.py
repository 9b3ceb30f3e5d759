from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from sparkcore import intake
from sparkcore.errors import ImageError, InputError, ModelError
from sparkcore.intake import Upload, allowed_roots, choose_file, choose_images, open_allowed, save_upload
from sparkcore.origins import origin_of
from tests.imaging.pictures import jpeg, png


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give an allowed folder with a picture, a model, and a link that leads out of it."""
    folder = tmp_path / "allowed"
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / "a.jpg").write_bytes(jpeg())
    (folder / "model.keras").write_bytes(b"model")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.jpg").write_bytes(jpeg())
    (folder / "way-out").symlink_to(tmp_path / "secret")
    return folder


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


def test_roots_come_from_the_environment_and_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.setenv("SPARKCORE_ROOTS", f"{tmp_path / 'link'}:{tmp_path / 'b'}:")
    expected = (tmp_path / "a", tmp_path / "b", tmp_path / "store/uploads", tmp_path / "store/samples")
    assert allowed_roots(tmp_path / "store") == expected


def test_the_current_folder_is_the_root_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SPARKCORE_ROOTS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert allowed_roots(tmp_path / "store")[0] == tmp_path


@pytest.mark.parametrize("text", ["photos", "photos/a.jpg", "", "photos/*.jpg", "**/*.jpg"])
def test_images_below_the_root(root: Path, text: str):
    assert choose_images(f" {root / text} ", [root]) == str(root / text)


@pytest.mark.parametrize(
    "text",
    [
        "/etc",
        "/",
        "{root}/..",
        "{root}/../secret",
        "{root}/photos/../../secret",
        "{root}/way-out",
        "{root}/way-out/key.jpg",
        "{root}/way-out/*.jpg",
        "{root}/*/../../secret",
        "{root}/{{a,..}}/{{b,..}}/secret/*",
        "{root}/" + "{{a,b}}" * 25,
        "{root}-next",
        "file:/etc",
        "s3://bucket/photos",
        "",
        "a\0b",
        "{root}/nothing-here",
        "~root",
    ],
)
def test_images_elsewhere_are_refused(root: Path, text: str):
    with pytest.raises(InputError, match=r"^images: expected"):
        choose_images(text.format(root=root), [root])


def test_a_link_to_a_file_outside_is_refused(root: Path):
    (root / "photo.jpg").symlink_to(root.parent / "secret" / "key.jpg")
    with pytest.raises(InputError):
        choose_images(str(root / "photo.jpg"), [root])


def test_a_model_file_below_the_root(root: Path):
    assert choose_file(str(root / "model.keras"), [root]) == str(root / "model.keras")


@pytest.mark.parametrize("name", ["photos/a.jpg", "photos", "gone.keras", "../secret/key.jpg", "/etc/passwd", ""])
def test_other_files_are_refused_as_models(root: Path, name: str):
    with pytest.raises(ModelError, match=r"^File: expected"):
        choose_file(str(root / name), [root])


def test_originals_open_below_the_root_only(root: Path):
    assert open_allowed(origin_of(root / "photos" / "a.jpg"), [root]) == jpeg()
    for path in (root.parent / "secret" / "key.jpg", root / "way-out" / "key.jpg"):
        with pytest.raises(ImageError, match="outside of the folders"):
            open_allowed(origin_of(path), [root])
    with pytest.raises(ImageError, match="no longer exists"):
        open_allowed(origin_of(root / "photos" / "b.jpg"), [root])


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
    monkeypatch.setattr(intake, "MAX_UPLOAD_BYTES", 3_000_000)
    with pytest.raises(InputError, match=r"expected at most 3 MB, received 4 MB"):
        save_upload([("a.jpg", bytes(4_000_000))], tmp_path)
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 2_000_000)
    assert save_upload([("a.jpg", bytes(2_500_000))], tmp_path).refused == (("a.jpg", "larger than 2 MB"),)
