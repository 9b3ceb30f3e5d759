from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sparkcore.errors import InputError
from tests.engine.listings import listed, names

ODD_NAMES = [
    "a b.jpg", "50%.jpg", "x#1.jpg", "q'uote\".jpg", "br[1].jpg", "cur{ly}.jpg", "star*.jpg", "q?.jpg", "a%20b.jpg",
    "plus+&=,;$!~().jpg", "back\\slash.jpg", "less<more>|^`.jpg", "emoji😀.jpg", "ünï.jpg", "wide\u3000space.jpg",
    "no-break\u00a0.jpg", "中文.jpg", "tab\t.jpg",
]  # fmt: skip


def write(folder: Path, *files: str) -> None:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"123")


def test_folder_is_listed_recursively_without_spark(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "deep/b.png", "deep/er/c.txt")
    os.utime(tmp_path / "a.jpg", ns=(1_700_000_000_123_456_789, 1_700_000_000_123_456_789))
    found = listed(tmp_path)
    assert found.names == ["a.jpg", "b.png", "c.txt"]
    first = found.row("a.jpg")
    assert first["origin"] == f"file:{tmp_path}/a.jpg"
    assert first["size_bytes"] == 3
    assert first["modified_at"].isoformat() == "2023-11-14T22:13:20.123000+00:00"
    assert first["version"] == "1700000000123456789"
    assert found.listing.spark_paths == (str(tmp_path),)


def test_marker_and_hidden_files_are_left_out_but_camera_names_are_not(tmp_path: Path) -> None:
    write(tmp_path, "_SUCCESS", ".DS_Store", "._photo.jpg", "_DSC0001.jpg", "photo.jpg", "_temporary/x.jpg", ".git/y")
    found = listed(tmp_path)
    assert found.names == ["_DSC0001.jpg", "photo.jpg"]
    assert found.listing.hidden_left_out == 1  # ._photo.jpg; the others are no images


def test_a_hidden_image_is_counted_once(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", ".hidden.jpg", "deep/b.jpg", "deep/.hidden.PNG", "deep/.notes.txt")
    assert listed(tmp_path).listing.hidden_left_out == 2
    assert listed(f"{tmp_path}/{{deep,d*}}").listing.hidden_left_out == 1
    assert listed(tmp_path, sample=1).listing.hidden_left_out == 2


def test_pipes_are_left_out_and_dangling_links_are_kept(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = listed(tmp_path)
    assert found.names == ["circle.jpg", "link.jpg"]
    assert found.table["size_bytes"].to_pylist() == [0, 0]


def test_a_folder_that_cannot_be_entered_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.jpg", "private/b.jpg")
    scandir = os.scandir

    def refusing(path: str) -> os._ScandirIterator[str]:
        if path.endswith("private"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)  # root may enter every folder
    assert names(tmp_path) == ["a.jpg"]


def test_each_folder_is_listed_once_under_its_own_name_if_it_has_one(tmp_path: Path) -> None:
    write(tmp_path, "in/zoo/z.jpg", "in/zoo/deep/d.jpg", "out/o.jpg", "out/deep/p.jpg", "in/.hidden/h.jpg")
    folder = tmp_path / "in"
    (folder / "a-link").symlink_to(folder / "zoo")
    (folder / "deep-link").symlink_to(folder / "zoo" / "deep")
    (folder / "b-link").symlink_to(tmp_path / "out" / "deep")
    (folder / "c-link").symlink_to(tmp_path / "out")
    (folder / "d-link").symlink_to(tmp_path / "out")
    (folder / "h-link").symlink_to(folder / ".hidden")
    origins = sorted(listed(folder).table["origin"].to_pylist())
    found = ["b-link/p.jpg", "c-link/o.jpg", "h-link/h.jpg", "zoo/deep/d.jpg", "zoo/z.jpg"]
    assert origins == [f"file:{folder}/{name}" for name in found]


def test_a_link_to_the_folder_above_lists_the_rest_of_it(tmp_path: Path) -> None:
    write(tmp_path, "in/a.jpg", "b.jpg")
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    assert names(tmp_path / "in") == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_single_file_of_any_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    found = listed(tmp_path / name)
    assert found.names == [name]
    assert names(found.table["origin"][0].as_py()) == [name]
    assert listed(tmp_path).table == found.table


def test_folders_of_any_name_quote_as_files_do(tmp_path: Path) -> None:
    write(tmp_path, *(f"{name}/{name}" for name in ODD_NAMES))
    origins = listed(tmp_path).table["origin"].to_pylist()
    assert sorted(listed(origin).table["origin"][0].as_py() for origin in origins) == sorted(origins)
    assert len(origins) == len(ODD_NAMES)


def test_globs(tmp_path: Path) -> None:
    write(tmp_path, "a/1.jpg", "a/2.png", "b/3.jpg", "c/4.gif", "c/d/5.jpg")
    assert names(f"{tmp_path}/*/*.jpg") == ["1.jpg", "3.jpg"]
    assert names(f"{tmp_path}/*/*.{{jpg,gif}}") == ["1.jpg", "3.jpg", "4.gif"]
    assert names(f"{tmp_path}/[ab]") == ["1.jpg", "2.png", "3.jpg"]
    assert names(f"{tmp_path}/**/*.jpg") == ["1.jpg", "3.jpg", "5.jpg"]
    assert names(f"{tmp_path}/{{a,[ab],b/3.jpg}}") == ["1.jpg", "2.png", "3.jpg"]
    assert listed(f"{tmp_path}/*/*.jpg").listing.spark_paths == (f"{tmp_path}/a", f"{tmp_path}/b")


def test_a_file_that_two_patterns_match_counts_once_in_a_sample(tmp_path: Path) -> None:
    write(tmp_path, *(f"{number}.jpg" for number in range(9)))
    assert len(set(names(f"{tmp_path}/{{*.jpg,?.jpg}}", sample=5))) == 5


def test_glob_over_many_folders_loads_their_common_root(tmp_path: Path) -> None:
    write(tmp_path, *(f"{number}/x.jpg" for number in range(70)))
    assert listed(f"{tmp_path}/*/x.jpg").listing.spark_paths == (str(tmp_path),)


def test_folder_with_glob_letters_is_taken_literally(tmp_path: Path) -> None:
    folder = tmp_path / "run [1] {a}"
    write(folder, "x.jpg")
    found = listed(folder)
    assert found.names == ["x.jpg"]
    assert found.listing.spark_paths == (f"{tmp_path}/run \\[1\\] \\{{a\\}}",)


def test_links_out_of_the_roots_are_left_out_and_counted(tmp_path: Path) -> None:
    photos, secret = tmp_path / "root" / "photos", tmp_path / "secret"
    write(tmp_path, "root/photos/a.jpg", "root/photos/deep/b.jpg", "secret/s.jpg")
    (photos / "way-out").symlink_to(secret)
    (photos / "deep" / "s.jpg").symlink_to(secret / "s.jpg")
    (photos / "inside").symlink_to(photos / "deep")
    roots = (tmp_path / "root",)
    for images in (photos, f"{photos}/**", f"{tmp_path}/root/*"):
        found = listed(images, roots)
        assert set(found.names) == {"a.jpg", "b.jpg"}, images
        assert found.listing.links_left_out == 2, images
    with pytest.raises(InputError, match="1 names lead out"):
        listed(f"{photos}/way[-]out/*", roots)
    assert "s.jpg" in names(photos)


@pytest.mark.parametrize("out", ["{a,..}/{b,..}/secret/*", "photos/../../secret", "{..,x}/secret/*.jpg", "../secret/*"])
def test_no_pattern_leads_out_of_the_roots(tmp_path: Path, out: str) -> None:
    (tmp_path / "root" / "photos").mkdir(parents=True)
    write(tmp_path, "secret/s.jpg")
    with pytest.raises(InputError, match="expected a folder below"):
        listed(f"{tmp_path}/root/{out}", (tmp_path / "root",))
