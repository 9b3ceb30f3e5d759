"""What is in folders below the roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore import folders
from sparkcore.errors import InputError
from sparkcore.folders import Count, look_into
from sparkcore.origins import origin_of
from sparkcore.storage.opening import open_storage


def write(path: Path, *names: str) -> None:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"content")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(
        tmp_path / "root",
        "b/1.jpg",
        "b/deep/2.PNG",
        "b/.hidden/3.jpg",
        "a.jpg",
        ".b.jpg",
        "notes.txt",
        "_temporary/c.jpg",
    )
    write(tmp_path / "secret", "4.jpg")
    (tmp_path / "root" / "A").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "root" / "b" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "root" / "out.jpg").symlink_to(tmp_path / "secret" / "4.jpg")
    (tmp_path / "root" / "inside").symlink_to(tmp_path / "root" / "b")
    return tmp_path / "root"


def test_folders_have_their_numbers_of_pictures(root: Path) -> None:
    found = look_into(str(root), [root])
    assert [(one.name, one.count) for one in found.folders] == [("A", Count(0)), ("b", Count(2)), ("inside", Count(2))]
    assert (found.own, found.parent, found.is_all) == (Count(1), None, True)
    assert found.first[:2] == (origin_of(root / "a.jpg"), origin_of(root / "b" / "1.jpg"))
    assert look_into(str(root / "b"), [root]).parent == str(root)


@pytest.mark.parametrize("place", ["out", "a.jpg", "none", "../secret"])
def test_what_is_no_folder_below_the_roots_is_refused(root: Path, place: str) -> None:
    with pytest.raises(InputError, match="expected a folder below"):
        look_into(str(root / place), [root])
    with pytest.raises(InputError, match="expected a place below"):
        look_into("s3://bucket/a", ["s3://bucket/b"])


def test_looking_ends(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_MOST_COUNTED", 1)
    assert look_into(str(root), [root]).folders[1].count == Count(1, is_all=False)
    monkeypatch.setattr(folders, "_MOST_ENTRIES", 0)
    assert look_into(str(root), [root]).own == Count(0, is_all=False)
    monkeypatch.setattr(folders, "FOLDERS_SHOWN", 0)
    assert not look_into(str(root), [root]).is_all


@pytest.mark.parametrize("most", [2_000, 2])
def test_prefixes_are_folders(s3_prefix: str, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(folders, "_OBJECTS", most)
    storage = open_storage(s3_prefix)
    for name in ("b c/1.jpg", "b c/2.jpg", "b c/deep/3.jpg", "a.jpg", "d/4.txt", ".e/5.jpg"):
        storage.write(name, b"content")
    found = look_into(f"{s3_prefix}/", [s3_prefix])
    is_all = most > 2
    counts = [Count(3 if is_all else 2, is_all=is_all), Count(0)]
    assert [(one.place, one.count) for one in found.folders] == [
        (f"{s3_prefix}/b c", counts[0]), (f"{s3_prefix}/d", counts[1]),
    ]  # fmt: skip
    assert found.parent is None
    assert all(one.startswith(s3_prefix) for one in found.first)
    inside = look_into(f"{s3_prefix}/b c", [s3_prefix])
    assert (inside.parent, [one.name for one in inside.folders]) == (s3_prefix, ["deep"])
