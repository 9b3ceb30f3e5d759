"""JPEG thumbnails."""

from __future__ import annotations

import io

from PIL import Image

LONG_SIDE = 256
MIN_LONG_SIDE = 230  # visually equal, and photos of 500 pixels, a very common size, can be halved exactly


def thumbnail(image: Image.Image, long_side: int = LONG_SIDE, quality: int = 80) -> bytes:
    """Return an RGB image as JPEG with at most `long_side` pixels on its longer side, never enlarged."""
    return encode(shrink(image, long_side), quality)


def smaller(content: bytes, long_side: int) -> bytes:
    """Return a JPEG thumbnail of our own with at most `long_side` pixels on its longer side."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        return thumbnail(image.convert("RGB"), long_side)


def shrink(image: Image.Image, long_side: int = LONG_SIDE) -> Image.Image:
    """Return an RGB image with at most `long_side` pixels on its longer side, never enlarged."""
    factor = max(image.size) * LONG_SIDE // (long_side * MIN_LONG_SIDE)
    if factor > 1:
        image = image.reduce(factor)  # averages whole pixels, ten times as fast as a resize
    scale = long_side / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        # Hamming is as fast as bilinear, and sharper.
        image = image.resize(size, Image.Resampling.HAMMING)
    return image


def encode(image: Image.Image, quality: int = 80) -> bytes:
    """Return an image as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
