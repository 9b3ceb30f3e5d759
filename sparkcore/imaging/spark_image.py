"""Conversion between the struct of Spark's image source and pixels, in both directions.

Spark stores channels in OpenCV's order (BGR, BGRA); only this module swaps them.
"""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from sparkcore.errors import ImageError
from sparkcore.imaging.color import over_white
from sparkcore.imaging.decode import decode_plain


class SparkImage(NamedTuple):
    """Hold the fields of Spark's image struct after `origin`; `mode` is an OpenCV type."""

    height: int
    width: int
    n_channels: int
    mode: int
    data: bytes


# What Spark returns for a file that it cannot decode.
INVALID = SparkImage(-1, -1, -1, -1, b"")

# OpenCV type -> channels, Pillow mode, byte order
_LAYOUTS = {0: (1, "L", "L"), 16: (3, "RGB", "BGR"), 24: (4, "RGBA", "BGRA")}
_TYPES = {
    pillow_mode: (opencv_type, channels, order) for opencv_type, (channels, pillow_mode, order) in _LAYOUTS.items()
}


def from_spark_image(height: int, width: int, n_channels: int, mode: int, data: bytes) -> Image.Image:
    """Return the RGB pixels of a Spark image, composited over white.

    Raises ImageError of type invalid, unsupported or corrupt.
    """
    if height == -1 and width == -1:
        raise ImageError("invalid", "Spark's image source could not decode the file; it gives no reason.")
    channels, pillow_mode, order = _LAYOUTS.get(mode, (0, "", ""))
    if channels == 0 or channels != n_channels:
        raise ImageError(
            "unsupported",
            f"Expected OpenCV type 0, 16 or 24 with 1, 3 or 4 channels, received type {mode} with {n_channels}.",
        )
    expected = height * width * channels
    if height < 1 or width < 1 or len(data) != expected:
        raise ImageError(
            "corrupt",
            f"Expected {expected:,} bytes for {height} x {width} x {channels} channels, received {len(data):,}.",
        )
    return over_white(Image.frombuffer(pillow_mode, (width, height), data, "raw", order, 0, 1))


def to_spark_image(content: bytes) -> SparkImage:
    """Return an image file as Spark's image struct, or `INVALID` if it cannot be decoded.

    Grayscale has one channel, an image with transparency four (BGRA, not composited), all others three (BGR). Unlike
    Spark, this applies the orientation, scales 16 bits to 8 and reads all of `decode.FORMATS`.
    """
    try:
        decoded = decode_plain(content)
    except ImageError:
        return INVALID
    opencv_type, channels, order = _TYPES[decoded.image.mode]
    return SparkImage(decoded.height, decoded.width, channels, opencv_type, decoded.image.tobytes("raw", order))
