"""Heat maps: where in a picture a model finds evidence, drawn over the picture."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from sparkcore.config import Fit
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.thumbnail import encode

# Orange speaks for the label, blue against it, or for the other one: also apart for people who see no red or green.
FOR_COLOR = (255, 120, 0)
AGAINST_COLOR = (0, 110, 255)
LONG_SIDE = 1600  # of the picture that is drawn, at most
_OPACITY = 0.72
_GRAY = 0.55  # share of gray in the picture below, so that the colors are those of the map


class Box(NamedTuple):
    """The corners of an area in pixels of a picture; it may be larger than the picture."""

    left: float
    top: float
    right: float
    bottom: float


def seen_box(picture: ImageSize, model: ImageSize, fit: Fit) -> Box:
    """Return the area of a picture that the input of a model shows; see `transforms.resize`."""
    if fit.mode == "stretch":
        return Box(0, 0, picture.width, picture.height)
    scales = (model.width / picture.width, model.height / picture.height)
    scale = max(scales) / fit.crop_ratio if fit.mode == "crop" else min(scales)
    width, height = model.width / scale, model.height / scale
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    return Box(left, top, left + width, top + height)


def heat_map_png(content: bytes, evidence: npt.NDArray[np.float32], model: ImageSize, fit: Fit) -> bytes:
    """Return an image file, upright, under the evidence of a model of this input size, as PNG; raises ImageError."""
    buffer = io.BytesIO()
    _heat_map(content, evidence, model, fit).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def heat_map_jpeg(content: bytes, evidence: npt.NDArray[np.float32], model: ImageSize, fit: Fit) -> bytes:
    """Return the same as JPEG, which is smaller; raises ImageError."""
    return encode(_heat_map(content, evidence, model, fit))


def _heat_map(content: bytes, evidence: npt.NDArray[np.float32], model: ImageSize, fit: Fit) -> Image.Image:
    picture = decode(content).image
    if max(picture.size) > LONG_SIDE:
        picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return draw_heat(picture, evidence, seen_box(ImageSize(picture.height, picture.width), model, fit))


def draw_heat(picture: Image.Image, evidence: npt.NDArray[np.float32], box: Box) -> Image.Image:
    """Return an RGB picture under the colors of `evidence`, -1 to 1 [height, width], which covers `box`."""
    values = _spread(evidence, ImageSize(picture.height, picture.width), box)
    base = np.asarray(picture, np.float32)
    base = (1 - _GRAY) * base + _GRAY * np.asarray(picture.convert("L"), np.float32)[..., None]
    color = np.where(values[..., None] > 0, np.array(FOR_COLOR, np.float32), np.array(AGAINST_COLOR, np.float32))
    opacity = _OPACITY * np.abs(values)[..., None]
    return Image.fromarray(np.rint((1 - opacity) * base + opacity * color).astype(np.uint8))


def _spread(evidence: npt.NDArray[np.float32], size: ImageSize, box: Box) -> npt.NDArray[np.float32]:
    """Return the evidence at each pixel; none where the model did not see."""
    field = Image.fromarray(np.asarray(evidence, np.float32))
    left, top, right, bottom = (round(side) for side in box)
    whole = np.asarray(field.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BICUBIC))
    spread = np.zeros(size, np.float32)
    inside = (slice(max(top, 0), min(bottom, size.height)), slice(max(left, 0), min(right, size.width)))
    spread[inside] = whole[inside[0].start - top : inside[0].stop - top, inside[1].start - left : inside[1].stop - left]
    return spread.clip(-1, 1)
