from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pytest

from sparkcore.engine.listing import Listing, list_images, list_with_spark, sampled
from sparkcore.errors import InputError
from sparkcore.origins import spark_path

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ODD_NAMES = [
    "a b.jpg", "50%.jpg", "x#1.jpg", "q'uote\".jpg", "br[1].jpg", "cur{ly}.jpg", "star*.jpg", "q?.jpg", "a%20b.jpg",
    "plus+&=,;$!~().jpg", "back\\slash.jpg", "less<more>|^`.jpg", "emoji😀.jpg", "ünï.jpg", "wide\u3000space.jpg",
    "no-break\u00a0.jpg", "中文.jpg", "tab\t.jpg",
]  # fmt: skip


def no_spark() -> SparkSession:
    raise AssertionError("a local folder needs no Spark")


def names(listing: Listing) -> list[str]:
    return sorted(listing.files["file_name"].to_pylist())


def test_folder_is_listed_recursively_without_spark(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.jpg", "deep/b.png", "deep/er/c.txt"):
        (tmp_path / name).write_bytes(b"123")
    os.utime(tmp_path / "a.jpg", ns=(1_700_000_000_123_456_789, 1_700_000_000_123_456_789))
    listing = list_images(str(tmp_path), no_spark)
    assert names(listing) == ["a.jpg", "b.png", "c.txt"]
    first = listing.files.filter(pc.equal(listing.files["file_name"], "a.jpg")).to_pylist()[0]
    assert first["origin"] == f"file:{tmp_path}/a.jpg"
    assert first["size_bytes"] == 3
    assert first["modified_at"].isoformat() == "2023-11-14T22:13:20.123000+00:00"
    assert listing.spark_paths == (str(tmp_path),)


def test_marker_and_hidden_files_are_left_out_but_camera_names_are_not(tmp_path: Path) -> None:
    for name in ("_SUCCESS", ".DS_Store", "._photo.jpg", "_DSC0001.jpg", "photo.jpg"):
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "x.jpg").write_bytes(b"1")
    listing = list_images(str(tmp_path), no_spark)
    assert names(listing) == ["_DSC0001.jpg", "photo.jpg"]
    assert listing.hidden_left_out == 1  # ._photo.jpg; the others are no images


def test_a_hidden_image_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.jpg", ".hidden.jpg", "deep/b.jpg", "deep/.hidden.PNG", "deep/.notes.txt"):
        (tmp_path / name).write_bytes(b"1")
    assert list_images(str(tmp_path), no_spark).hidden_left_out == 2
    assert list_images(f"{tmp_path}/{{deep,d*}}", no_spark).hidden_left_out == 1
    assert sampled(list_images(str(tmp_path), no_spark), 1, seed=0).hidden_left_out == 2


def test_pipes_are_left_out_and_dangling_links_are_kept(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert names(list_images(str(tmp_path), no_spark)) == ["link.jpg"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_single_file_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"1")
    listing = list_images(str(tmp_path / name), no_spark)
    assert listing.files["file_name"].to_pylist() == [name]
    assert names(list_images(listing.files["origin"][0].as_py(), no_spark)) == [name]


def test_globs(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.png", "b/3.jpg", "c/4.gif", "c/d/5.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    assert names(list_images(f"{tmp_path}/*/*.jpg", no_spark)) == ["1.jpg", "3.jpg"]
    assert names(list_images(f"{tmp_path}/*/*.{{jpg,gif}}", no_spark)) == ["1.jpg", "3.jpg", "4.gif"]
    assert names(list_images(f"{tmp_path}/[ab]", no_spark)) == ["1.jpg", "2.png", "3.jpg"]
    assert names(list_images(f"{tmp_path}/**/*.jpg", no_spark)) == ["1.jpg", "3.jpg", "5.jpg"]
    assert list_images(f"{tmp_path}/*/*.jpg", no_spark).spark_paths == (f"{tmp_path}/a", f"{tmp_path}/b")


def test_glob_over_many_folders_loads_their_common_root(tmp_path: Path) -> None:
    for number in range(70):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x.jpg").write_bytes(b"1")
    assert list_images(f"{tmp_path}/*/x.jpg", no_spark).spark_paths == (str(tmp_path),)


def test_folder_with_glob_letters_is_taken_literally(tmp_path: Path) -> None:
    folder = tmp_path / "run [1] {a}"
    folder.mkdir()
    (folder / "x.jpg").write_bytes(b"1")
    listing = list_images(str(folder), no_spark)
    assert names(listing) == ["x.jpg"]
    assert listing.spark_paths == (f"{tmp_path}/run \\[1\\] \\{{a\\}}",)


@pytest.mark.parametrize("wrong", ["{}/nowhere", "{}/*.jpg", "{}"])
def test_nothing_there_is_an_error_at_once(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InputError, match=r"Expected .* received"):
        list_images(wrong.format(tmp_path), no_spark)


def test_sample_is_chosen_by_seed_and_independent_of_the_rest(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.jpg").write_bytes(b"1")
    listing = list_images(str(tmp_path), no_spark)
    five = names(sampled(listing, 5, seed=1))
    assert len(five) == 5
    assert five == names(sampled(listing, 5, seed=1))
    assert five != names(sampled(listing, 5, seed=2))
    assert set(five) < set(names(sampled(listing, 6, seed=1)))
    assert sampled(listing, 50, seed=1) is listing


def test_spark_lists_the_same_files_as_the_local_walk(tmp_path: Path, spark: SparkSession) -> None:
    for name in [*ODD_NAMES, "sub/deep.jpg", "empty.jpg"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"" if name == "empty.jpg" else b"123")
    local = list_images(str(tmp_path), no_spark).files
    by_spark = {origin: (size, time) for origin, size, time in list_with_spark(spark, f"file://{tmp_path}")}
    times = [int(t.timestamp() * 1000 + 0.5) for t in local["modified_at"].to_pylist()]
    expected = dict(
        zip(local["origin"].to_pylist(), zip(local["size_bytes"].to_pylist(), times, strict=True), strict=True)
    )
    empty = f"file:{tmp_path}/empty.jpg"
    assert {o: v for o, v in by_spark.items() if o != empty} == {o: v for o, v in expected.items() if o != empty}
    assert by_spark[empty][0] == expected[empty][0] == 0


def test_spark_says_what_is_wrong_with_a_uri(spark: SparkSession) -> None:
    with pytest.raises(InputError, match="received 'file:///no/such/folder'"):
        list(list_with_spark(spark, "file:///no/such/folder"))


def test_links_out_of_the_roots_are_left_out_and_counted(tmp_path: Path) -> None:
    photos, secret = tmp_path / "root" / "photos", tmp_path / "secret"
    for folder in (photos / "deep", secret):
        folder.mkdir(parents=True)
    for path in (photos / "a.jpg", photos / "deep" / "b.jpg", secret / "s.jpg"):
        path.write_bytes(b"1")
    (photos / "way-out").symlink_to(secret)
    (photos / "deep" / "s.jpg").symlink_to(secret / "s.jpg")
    (photos / "inside").symlink_to(photos / "deep")
    roots = (tmp_path / "root",)
    for images in (photos, f"{photos}/**", f"{tmp_path}/root/*"):
        listing = list_images(str(images), no_spark, roots)
        assert set(names(listing)) == {"a.jpg", "b.jpg"}, images
        assert listing.links_left_out == 2, images
    with pytest.raises(InputError, match="1 links lead out"):
        list_images(f"{photos}/way[-]out/*", no_spark, roots)
    assert "s.jpg" in names(list_images(str(photos), no_spark))


@pytest.mark.parametrize("out", ["{a,..}/{b,..}/secret/*", "photos/../../secret", "{..,x}/secret/*.jpg", "../secret/*"])
def test_no_pattern_leads_out_of_the_roots(tmp_path: Path, out: str) -> None:
    (tmp_path / "root" / "photos").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.jpg").write_bytes(b"1")
    with pytest.raises(InputError, match="expected a folder below"):
        list_images(f"{tmp_path}/root/{out}", no_spark, (tmp_path / "root",))


def test_spark_path_leaves_uris_and_globs_alone(tmp_path: Path) -> None:
    assert spark_path("s3a://bucket/[x]") == "s3a://bucket/[x]"
    assert spark_path(f"{tmp_path}/*.jpg") == f"{tmp_path}/*.jpg"
