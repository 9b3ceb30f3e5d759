"""Small JPEG pictures for galleries."""

from __future__ import annotations

import io

from PIL import Image

LONG_SIDE = 256


def thumbnail(image: Image.Image, long_side: int = LONG_SIDE, quality: int = 80) -> bytes:
    """Return an RGB image as JPEG whose longer side has at most `long_side` pixels; it is never enlarged."""
    scale = long_side / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        # Hamming is as quick as bilinear and sharper; the gap makes photos of many megapixels three times as quick.
        image = image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
