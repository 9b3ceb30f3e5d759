"""What a model sees of an image file: the decoding that workers use, and the result as a picture for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparkcore.config import Fit
from sparkcore.imaging.annotate import to_jpeg
from sparkcore.imaging.decode import Decoded, ImageSize, decode
from sparkcore.imaging.thumbnail import MIN_LONG_SIDE
from sparkcore.imaging.transforms import resize, size_before_crop


def decode_model_input(
    content: bytes, size: ImageSize, fit: Fit, *, full_size: bool, most_pixels: int | None = None
) -> Decoded:
    """Decode an image file for a thumbnail and for a model input of `size`; raises ImageError.

    A JPEG may be reduced while it is decoded, unless `full_size` asks for all its pixels. Raises LargeImageError where
    more than `most_pixels` would have to be decoded.
    """
    target = None if full_size else size_before_crop(size, fit)
    return decode(content, target=target, long_side=MIN_LONG_SIDE, most_pixels=most_pixels)


def model_input_jpeg(content: bytes, config: Mapping[str, Any], size: ImageSize, fit: Fit) -> bytes:
    """Return as JPEG what a model of this input size saw of an image file in a run; raises ImageError.

    `config` has the run's `interpolation`, `keep` and `reader`. Pixels from Spark's own reader may differ
    slightly, because Java decodes them.
    """
    full_size = "pixels" in config["keep"] or config["reader"] == "image"
    decoded = decode_model_input(content, size, fit, full_size=full_size)
    return to_jpeg(resize(decoded.image, size, fit, config["interpolation"]))
