from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sparkcore.config import RunConfig
from sparkcore.engine.listing import list_images
from sparkcore.errors import InputError, RunCancelledError
from sparkcore.origins import origin_of, spark_path
from sparkcore.schema import LISTING_SCHEMA, image_id
from tests.engine.listings import listed, names, no_spark


def fill(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(b"1" * number)


def test_a_listing_is_sorted_by_image_id_and_counted(tmp_path: Path) -> None:
    fill(tmp_path, 50)
    found = listed(tmp_path)
    ids = found.table["image_id"].to_pylist()
    assert ids == sorted(image_id(origin_of(tmp_path / f"{number}.jpg")) for number in range(50))
    assert found.table.schema == LISTING_SCHEMA
    assert (found.listing.images, found.listing.size_bytes) == (50, sum(range(50)))


def test_the_digest_is_that_of_origin_size_and_version_in_order(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    found = listed(tmp_path)
    lines = (f"{row['origin']}\0{row['size_bytes']}\0{row['version']}\0\n" for row in found.table.to_pylist())
    assert found.listing.digest == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert listed(tmp_path).listing == found.listing
    (tmp_path / "1.jpg").write_bytes(b"changed")
    assert listed(tmp_path).listing.digest != found.listing.digest


def test_pieces_can_be_read_several_times(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    with list_images(RunConfig(str(tmp_path)), no_spark, tmp_path / "spill") as listing:
        assert list(listing.pieces()) == list(listing.pieces())
        assert not (tmp_path / "spill").exists()  # a few names stay in memory


@pytest.mark.parametrize("wrong", ["{}/nowhere", "{}/*.jpg", "{}"])
def test_nothing_there_is_an_error_at_once(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InputError, match=r"Expected .* received"):
        listed(wrong.format(tmp_path))


def test_a_listing_can_be_cancelled(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    calls = []

    def cancel() -> None:
        calls.append(1)
        raise RunCancelledError("cancelled")

    for images in (tmp_path, f"{tmp_path}/*.jpg"):
        with (
            pytest.raises(RunCancelledError),
            list_images(RunConfig(str(images)), no_spark, tmp_path / "spill", check=cancel),
        ):
            pytest.fail("the listing went on")
    assert len(calls) == 2


def test_sample_is_chosen_by_seed_and_independent_of_the_rest(tmp_path: Path) -> None:
    fill(tmp_path, 50)
    five = names(tmp_path, sample=5, seed=1)
    assert len(five) == 5
    assert five == names(tmp_path, sample=5, seed=1)
    assert five != names(tmp_path, sample=5, seed=2)
    assert set(five) < set(names(tmp_path, sample=6, seed=1))
    assert listed(tmp_path, sample=50, seed=1).listing == listed(tmp_path).listing


def test_spark_path_leaves_uris_and_globs_alone(tmp_path: Path) -> None:
    assert spark_path("s3a://bucket/[x]") == "s3a://bucket/[x]"
    assert spark_path(f"{tmp_path}/*.jpg") == f"{tmp_path}/*.jpg"
