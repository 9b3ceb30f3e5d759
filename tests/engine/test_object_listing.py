from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from sparkcore.engine.object_listing import list_objects
from sparkcore.errors import InputError, RunCancelledError, StorageError
from sparkcore.origins import object_key
from sparkcore.storage.opening import open_storage
from tests.engine.listings import listed, names
from tests.storage.scripted_server import Answer, scripted_server

ODD_NAMES = ["a b.jpg", "50%.jpg", "x#1.jpg", "plus+.jpg", "br[1].jpg", "cur{ly}.jpg", "a%20b.jpg", "q?.jpg", "é😀.jpg"]


def fill(uri: str, *names: str, content: bytes = b"123") -> None:
    storage = open_storage(uri)
    for name in names:
        storage.write(name, content)


def test_a_prefix_is_listed_recursively_with_sizes_and_times(s3_prefix: str) -> None:
    fill(s3_prefix, "a.jpg", "deep/b.png", "deep/er/c d.txt")
    found = listed(s3_prefix)
    assert sorted(found.table["origin"].to_pylist()) == [
        f"{s3_prefix}/{name}" for name in ("a.jpg", "deep/b.png", "deep/er/c%20d.txt")
    ]
    assert found.table["size_bytes"].to_pylist() == [3, 3, 3]
    entry = open_storage(s3_prefix).stat("a.jpg")
    assert found.row("a.jpg")["modified_at"].timestamp() == entry.modified_ns / 1e9
    assert found.row("a.jpg")["version"] == entry.version
    assert listed(f"{s3_prefix}/").listing.digest == found.listing.digest
    assert listed(s3_prefix.replace("s3:", "s3a:")).table == found.table


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_single_object_of_any_name(s3_prefix: str, name: str) -> None:
    fill(s3_prefix, f"in/{name}")
    ((origin, size_bytes, _, _),) = list_objects(f"{s3_prefix}/in/{name}")
    assert size_bytes == 3
    bucket = s3_prefix.rsplit("/", 1)[0]
    assert object_key(origin, bucket) == f"{s3_prefix.rsplit('/', 1)[1]}/in/{name}"
    assert [found.origin for found in list_objects(origin)] == [origin]
    assert [found.origin for found in list_objects(f"{s3_prefix}/in")] == [origin]


def test_hidden_names_are_left_out(s3_prefix: str) -> None:
    fill(s3_prefix, "photo.jpg", "_DSC0001.jpg", "_SUCCESS", ".DS_Store", "_temporary/x.jpg", ".git/y.jpg", "in/z.jpg")
    assert names(s3_prefix) == ["_DSC0001.jpg", "photo.jpg", "z.jpg"]
    assert names(f"{s3_prefix}/_temporary") == ["x.jpg"]


def test_the_empty_objects_that_stand_for_folders_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"in/": 0, "in/deep/": 0, "in/deep/z.jpg": 3, "in/empty.jpg": 0}
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-24T09:00:00.000Z</LastModified><ETag>1</ETag>"
        f"<Size>{size}</Size></Contents>"
        for key, size in sizes.items()
    )
    page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    with scripted_server([Answer(200, page.encode())]) as (address, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert names("s3://bucket") == ["empty.jpg", "z.jpg"]


def test_patterns(s3_prefix: str) -> None:
    fill(s3_prefix, "a/1.jpg", "a/2.png", "b/3.jpg", "c/4.gif", "c/d/5.jpg")
    assert names(f"{s3_prefix}/*/*.jpg") == ["1.jpg", "3.jpg"]
    assert names(f"{s3_prefix}/*/*.{{jpg,gif}}") == ["1.jpg", "3.jpg", "4.gif"]
    assert names(f"{s3_prefix}/[ab]") == ["1.jpg", "2.png", "3.jpg"]
    assert names(f"{s3_prefix}/**/*.jpg") == ["1.jpg", "3.jpg", "5.jpg"]
    assert names(f"{s3_prefix}/{{a,c/d}}") == ["1.jpg", "2.png", "5.jpg"]


def test_a_pattern_finds_the_same_in_a_folder_and_in_a_bucket(s3_prefix: str, tmp_path: Path) -> None:
    found = ["a/1.jpg", "a/.2.jpg", "a/b/3.jpg", "a/_x/4.jpg", "_SUCCESS", "5.jpg", "a/b/_SUCCESS"]
    for uri in (s3_prefix, str(tmp_path)):
        fill(uri, *found)
    for pattern in ("", "/*", "/**", "/a", "/a/*", "/*/*", "/?.jpg", "/**/3.jpg", "/{a,5.jpg}"):
        assert names(s3_prefix + pattern) == names(str(tmp_path) + pattern), pattern


def test_an_object_that_two_patterns_match_counts_once(s3_prefix: str) -> None:
    fill(s3_prefix, "a/1.jpg", "a/2.jpg")
    assert names(f"{s3_prefix}/{{a,a/1.jpg,*/?.jpg}}") == ["1.jpg", "2.jpg"]


def test_a_listing_of_objects_can_be_cancelled(s3_prefix: str) -> None:
    fill(s3_prefix, "a.jpg")

    def cancel() -> None:
        raise RunCancelledError("cancelled")

    for images in (s3_prefix, f"{s3_prefix}/nothing*"):
        with pytest.raises(RunCancelledError):
            list(list_objects(images, cancel))


def test_nothing_there_is_an_error(s3_prefix: str) -> None:
    for wrong in ("", "/*.jpg", "/nowhere"):
        with pytest.raises(InputError, match="contains no file"):
            listed(f"{s3_prefix}{wrong}")
    with pytest.raises(StorageError, match="expected a bucket, received none"):
        listed(f"s3://{uuid.uuid4().hex}/a")


def test_an_object_store_has_to_be_an_allowed_root(s3_prefix: str, tmp_path: Path) -> None:
    fill(s3_prefix, "a.jpg")
    with pytest.raises(InputError, match="expected a place below"):
        listed(s3_prefix, (tmp_path,))
