"""Small JPEG pictures for galleries."""

from __future__ import annotations

import io

from PIL import Image

LONG_SIDE = 256
LEAST_LONG_SIDE = 230  # nobody sees the difference, and 500 pixels, the most frequent size of all, can be halved


def thumbnail(image: Image.Image, long_side: int = LONG_SIDE, quality: int = 80) -> bytes:
    """Return an RGB image as JPEG whose longer side has at most `long_side` pixels; it is never enlarged."""
    factor = max(image.size) * LONG_SIDE // (long_side * LEAST_LONG_SIDE)
    if factor > 1:
        image = image.reduce(factor)  # whole pixels are averaged: ten times as quick as a resize
    scale = long_side / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        # Hamming is as quick as bilinear and sharper.
        image = image.resize(size, Image.Resampling.HAMMING)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
