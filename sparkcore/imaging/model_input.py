"""What a model sees of an image file: the decoding that workers use, and the result as a picture for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparkcore.imaging.annotate import to_jpeg
from sparkcore.imaging.decode import Decoded, ImageSize, decode
from sparkcore.imaging.thumbnail import MIN_LONG_SIDE
from sparkcore.imaging.transforms import resize


def decode_model_input(content: bytes, size: ImageSize, *, full_size: bool) -> Decoded:
    """Decode an image file for a model input of `size` and a thumbnail; raises ImageError.

    A JPEG may be reduced while it is decoded, unless `full_size` asks for all its pixels.
    """
    return decode(content, target=None if full_size else size, long_side=MIN_LONG_SIDE)


def model_input_jpeg(content: bytes, config: Mapping[str, Any], size: ImageSize) -> bytes:
    """Return as JPEG what a model of this input size saw of an image file in a run; raises ImageError.

    `config` is the run's `resize`, `interpolation`, `keep` and `reader`. Pixels from Spark's own reader may differ
    slightly, because Java decodes them.
    """
    full_size = "pixels" in config["keep"] or config["reader"] == "image"
    decoded = decode_model_input(content, size, full_size=full_size)
    return to_jpeg(resize(decoded.image, size, config["resize"], config["interpolation"]))
