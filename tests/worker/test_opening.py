from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sparkcore.errors import EngineError, ImageError, StorageError
from sparkcore.origins import origin_of
from sparkcore.storage.opening import open_storage
from sparkcore.worker import opening
from sparkcore.worker.opening import LocalImages, read_file, read_object


def refusal(origin: str) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        read_file(origin)
    return caught.value.error_type, caught.value.message


def test_the_bytes_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a b%20é.jpg"
    path.write_bytes(b"content")
    assert read_file(origin_of(path)) == b"content"


def test_every_refusal_has_its_reason(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert refusal(origin_of(tmp_path / "gone")) == ("vanished", "The file was listed but is gone.")
    assert refusal(origin_of(tmp_path / "link")) == ("vanished", "The link points to nothing.")
    assert refusal(origin_of(tmp_path)) == ("unreadable", "The file cannot be opened: Is a directory.")
    assert refusal("s3a://bucket/a.jpg")[1] == "Spark could not read the file."


def test_a_disk_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([True] * 6 + [False])

    def fail(path: Path) -> bytes:
        if next(failures):
            raise OSError(errno.EIO, "failed", str(path))
        return b"content"

    (tmp_path / "a.jpg").write_bytes(b"content")
    monkeypatch.setattr(opening, "_PAUSES_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(Path, "read_bytes", fail)
    assert refusal(origin_of(tmp_path / "a.jpg")) == ("unreadable", "The file cannot be read: Input/output error.")
    assert read_file(origin_of(tmp_path / "a.jpg")) == b"content", "a disk that recovers is tried again"


def test_an_object_or_the_reason_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage("memory://opening")
    storage.write("a b%20é.jpg", b"content")
    assert read_object(storage, "memory://opening/a%20b%2520é.jpg") == b"content"
    path = tmp_path / "a.jpg"
    path.write_bytes(b"local")
    assert read_object(storage, origin_of(path)) == b"local"

    def fail(name: str) -> bytes:
        raise StorageError(f"memory://opening/{name}: the server answered 500 Internal Server Error.")

    for name, expected in {"gone": "vanished", "a//b": "unreadable", "../a": "unreadable"}.items():
        with pytest.raises(ImageError) as caught:
            read_object(storage, f"memory://opening/{name}")
        assert caught.value.error_type == expected
    monkeypatch.setattr(storage, "read", fail)
    with pytest.raises(ImageError, match="The object cannot be read: memory://opening/a: the server answered 500"):
        read_object(storage, "memory://opening/a")


def test_local_images_that_are_here(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    LocalImages(str(tmp_path)).check()
    LocalImages(str(tmp_path), (str(tmp_path / "gone.png"), str(tmp_path / "a.png"))).check()


def test_a_mount_point_without_its_file_system(tmp_path: Path) -> None:
    images = LocalImages(str(tmp_path), (str(tmp_path / "a.png"), str(tmp_path / "b.png")))
    with pytest.raises(EngineError, match=r"Expected every executor to see .*/a\.png, but .* does not\."):
        images.check()
