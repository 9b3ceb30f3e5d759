from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.errors import ImageError
from sparkcore.imaging.decode import decode
from sparkcore.imaging.spark_image import INVALID, SparkImage, from_spark_image, to_spark_image
from tests.imaging import pictures

# Expected by Spark's own suite: height, width, channels, OpenCV type and the first 20 bytes.
CONFORMANCE = {
    "multi-channel/grayscale.jpg": (
        (215, 300, 1, 0),
        [254, 223, 195, 196, 197, 197, 192, 197, 190, 189, 183, 183, 194, 199, 196, 193, 203, 207, 201, 187],
    ),
    "multi-channel/chr30.4.184.jpg": (
        (215, 300, 3, 16),
        [247, 253, 255, 213, 224, 228, 181, 196, 199, 178, 197, 200, 182, 197, 199, 185, 198, 200, 183, 192],
    ),
    "multi-channel/BGRA.png": ((100, 100, 4, 24), [128, 128, 248, 255] * 3 + [127, 127, 247, 255] * 2),
    "multi-channel/BGRA_alpha_60.png": ((100, 100, 4, 24), [128, 128, 248, 60] * 3 + [127, 127, 247, 60] * 2),
}


@pytest.mark.parametrize("name", sorted(CONFORMANCE))
def test_equals_what_spark_expects(spark_images: Path, name: str):
    image = to_spark_image((spark_images / "origin" / name).read_bytes())
    assert (image[:4], list(image.data[:20])) == CONFORMANCE[name]
    assert len(image.data) == image.height * image.width * image.n_channels


def test_sizes_of_the_kittens_and_the_invalid_one(spark_images: Path):
    kittens = spark_images / "origin" / "kittens"
    sizes = {path.name: to_spark_image(path.read_bytes())[:4] for path in kittens.iterdir()}
    assert sizes == {
        "29.5.a_b_EGDP022204.jpg": (200, 300, 3, 16),
        "54893.jpg": (311, 300, 3, 16),
        "DP153539.jpg": (296, 300, 3, 16),
        "DP802813.jpg": (313, 199, 3, 16),
        "not-image.txt": (-1, -1, -1, -1),
    }


def test_what_cannot_be_decoded_is_invalid():
    assert to_spark_image(b"") == to_spark_image(b"text") == INVALID == SparkImage(-1, -1, -1, -1, b"")


@pytest.mark.parametrize(
    ("image", "channels", "opencv_type"),
    [
        (pictures.photo(), 3, 16),
        (pictures.photo().convert("L"), 1, 0),
        (pictures.photo().convert("1"), 1, 0),
        (pictures.photo().quantize(8), 3, 16),
        (pictures.photo().convert("LA"), 4, 24),
        (pictures.photo().convert("RGBA"), 4, 24),
    ],
)
def test_round_trip(image: Image.Image, channels: int, opencv_type: int):
    content = pictures.png(image)
    spark_image = to_spark_image(content)
    assert spark_image[:4] == (48, 64, channels, opencv_type)
    np.testing.assert_array_equal(np.asarray(from_spark_image(*spark_image)), np.asarray(decode(content).image))


def test_channel_order():
    bgr = bytes([1, 2, 3, 4, 5, 6])
    assert np.asarray(from_spark_image(1, 2, 3, 16, bgr)).tolist() == [[[3, 2, 1], [6, 5, 4]]]
    assert to_spark_image(pictures.png(from_spark_image(1, 2, 3, 16, bgr))).data == bgr
    bgra = bytes([10, 20, 30, 255, 10, 20, 30, 0])
    assert np.asarray(from_spark_image(1, 2, 4, 24, bgra)).tolist() == [[[30, 20, 10], [255, 255, 255]]]
    assert np.asarray(from_spark_image(1, 1, 1, 0, b"\x07")).tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize(
    ("image", "error_type"),
    [
        (INVALID, "invalid"),
        (SparkImage(2, 2, 3, 16, bytes(11)), "corrupt"),
        (SparkImage(2, 2, 3, 16, bytes(13)), "corrupt"),
        (SparkImage(0, 2, 3, 16, b""), "corrupt"),
        (SparkImage(2, 2, 3, 21, bytes(48)), "unsupported"),
        (SparkImage(2, 2, 4, 16, bytes(16)), "unsupported"),
    ],
)
def test_rows_without_an_image(image: SparkImage, error_type: str):
    with pytest.raises(ImageError) as caught:
        from_spark_image(*image)
    assert caught.value.error_type == error_type
