"""One picture for the eye: annotated in full size, and as the model got it. JPEG bytes in, JPEG bytes out."""

from __future__ import annotations

import io

from PIL import Image

from sparkcore.config import Fit
from sparkcore.imaging.annotate import annotate
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.transforms import resize, size_before_crop

JPEG_QUALITY = 90


def annotated(content: bytes, label: str, score: float | None, long_side: int | None = None) -> bytes:
    """Return an image file's picture as JPEG with label and score drawn on it, reduced to `long_side` pixels.

    Raises ImageError.
    """
    picture = decode(content).image
    if long_side is not None and max(picture.size) > long_side:
        picture.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _jpeg(annotate(picture, label, score))


def model_input(content: bytes, size: ImageSize, fit: Fit, interpolation: str) -> bytes:
    """Return an image file as a model of this input size saw it, as JPEG; raises ImageError."""
    picture = decode(content, target=size_before_crop(size, fit)).image
    return _jpeg(resize(picture, size, fit, interpolation))


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
