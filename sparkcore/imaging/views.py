"""One picture for the eye: annotated in full size, and as the model got it. JPEG bytes in, JPEG bytes out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image

from sparkcore.imaging.annotate import annotate
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.transforms import resize

JPEG_QUALITY = 90


def annotated(content: bytes, label: str, score: float | None, long_side: int | None = None) -> bytes:
    """Return an image file's picture as JPEG with label and score drawn on it, reduced to `long_side` pixels.

    Raises ImageError.
    """
    picture = decode(content).image
    if long_side is not None and max(picture.size) > long_side:
        picture.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _jpeg(annotate(picture, label, score))


def model_input(content: bytes, config: Mapping[str, Any], size: ImageSize) -> bytes:
    """Return what a model of this input size got to see of an image file, by a run's settings; raises ImageError."""
    picture = resize(decode(content, target=size).image, size, config["resize"], config["interpolation"])
    return _jpeg(picture)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
