"""Conformance with Spark's own image suites, for both readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sparkcore.engine.reader import load_payloads, only, read_images
from sparkcore.errors import ConfigError, InputError
from sparkcore.imaging.spark_image import to_spark_image
from sparkcore.origins import file_name, origin_of
from tests.conftest import write_colors
from tests.engine.test_local_listing import ODD_NAMES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PARTITIONED = {
    ("29.5.a_b_EGDP022204.jpg", "kittens", "2018-01"),
    ("54893.jpg", "kittens", "2018-02"),
    ("DP153539.jpg", "kittens", "2018-02"),
    ("DP802813.jpg", "kittens", "2018-02"),
    ("BGRA.png", "multichannel", "2018-01"),
    ("BGRA_alpha_60.png", "multichannel", "2018-01"),
    ("chr30.4.184.jpg", "multichannel", "2018-02"),
    ("grayscale.jpg", "multichannel", "2018-02"),
}
PREFIXES = {
    "grayscale.jpg": (0, "fedfc3c4c5c5c0c5bebdb7b7c2c7c4c1cbcfc9bb"),
    "chr30.4.184.jpg": (16, "f7fdffd5e0e4b5c4c7b2c5c8b6c5c7b9c6c8b7c0"),
    "BGRA.png": (24, "8080f8ff8080f8ff8080f8ff7f7ff7ff7f7ff7ff"),
    "BGRA_alpha_60.png": (24, "8080f83c8080f83c8080f83c7f7ff73c7f7ff73c"),
}


@pytest.mark.parametrize("reader", ["bytes", "image"])
def test_counts_and_partition_columns(spark: SparkSession, spark_images: Path, reader: str) -> None:
    images = read_images(spark, str(spark_images / "partitioned"), reader)
    rows = images.select("origin", "cls", "date").collect()
    assert len(rows) == 9
    assert {(file_name(r.origin), r.cls, r.date) for r in rows} == PARTITIONED | {
        ("not-image.txt", "kittens", "2018-01")
    }


def test_drop_invalid(spark: SparkSession, spark_images: Path) -> None:
    images = read_images(spark, str(spark_images / "partitioned"), "image", drop_invalid=True)
    assert {
        (file_name(r.origin), r.cls, r.date) for r in images.select("origin", "cls", "date").collect()
    } == PARTITIONED


def test_recursion_without_partitions(spark: SparkSession, spark_images: Path) -> None:
    images = read_images(spark, str(spark_images / "origin"), "bytes")
    assert images.columns == ["origin", "size_bytes", "modified_at", "content"]
    assert images.count() == 10


@pytest.mark.parametrize("name", ["cls=kittens/date=2018-02/DP153539.jpg", "cls=multichannel/date=2018-01/BGRA.png"])
@pytest.mark.parametrize("reader", ["bytes", "image"])
def test_single_file(spark: SparkSession, spark_images: Path, reader: str, name: str) -> None:
    assert read_images(spark, str(spark_images / "partitioned" / name), reader).count() == 1


def test_invalid_row(spark: SparkSession, spark_images: Path) -> None:
    path = spark_images / "partitioned/cls=kittens/date=2018-01/not-image.txt"
    row = read_images(spark, str(path), "image").collect()[0]
    assert row.origin == origin_of(path)
    assert tuple(row.image)[1:] == (-1, -1, -1, -1, b"")
    assert to_spark_image(path.read_bytes()) == (-1, -1, -1, -1, b"")


def test_pixel_prefixes_of_both_readers(spark: SparkSession, spark_images: Path) -> None:
    folder = str(spark_images / "partitioned/cls=multichannel")
    by_spark = {
        file_name(r.origin): (r.image.mode, bytes(r.image.data[:20]).hex())
        for r in read_images(spark, folder, "image").collect()
    }
    by_pillow = {}
    for row in read_images(spark, folder, "bytes").collect():
        image = to_spark_image(bytes(row.content))
        by_pillow[file_name(row.origin)] = (image.mode, image.data[:20].hex())
    assert by_spark == PREFIXES
    assert by_pillow == PREFIXES


def test_the_posts_filter_works_on_the_frame(spark: SparkSession, spark_images: Path) -> None:
    images = read_images(spark, str(spark_images / "origin"), "image")
    kept = images.filter("image.nChannels > 2 AND image.height < 300")
    assert {file_name(r.origin) for r in kept.select("origin").collect()} == {
        "29.5.a_b_EGDP022204.jpg", "DP153539.jpg", "BGRA.png", "BGRA_alpha_60.png", "chr30.4.184.jpg",
    }  # fmt: skip


def test_only_the_wanted_files_are_opened(spark: SparkSession, tmp_path: Path) -> None:
    paths = write_colors(tmp_path, 20)
    wanted = [origin_of(paths[3]), origin_of(paths[11])]
    frame = only(load_payloads(spark, (str(tmp_path),), "bytes"), wanted)
    assert {r.origin: bytes(r.content) for r in frame.collect()} == {
        wanted[0]: paths[3].read_bytes(), wanted[1]: paths[11].read_bytes(),
    }  # fmt: skip


def test_odd_names_are_found_by_their_origin(spark: SparkSession, tmp_path: Path) -> None:
    for name in ODD_NAMES:
        (tmp_path / name).write_bytes(name.encode())
    origins = [origin_of(tmp_path / name) for name in ODD_NAMES]
    rows = only(load_payloads(spark, (str(tmp_path),), "bytes"), origins).collect()
    assert {bytes(r.content).decode() for r in rows} == set(ODD_NAMES)


def test_wrong_requests(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reader: expected one of bytes, image, received 'png'"):
        read_images(spark, str(tmp_path), "png")
    with pytest.raises(InputError, match="received '/no/such/folder'"):
        read_images(spark, "/no/such/folder")
