"""Conversion of any Pillow mode to 8-bit grayscale, RGB or RGBA, and from there to RGB."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

_CHANNELS = {"1": 1, "L": 1, "LA": 2, "La": 2, "P": 3, "PA": 4, "RGBA": 4, "RGBa": 4, "RGBX": 4, "CMYK": 4, "F": 1}


def count_channels(image: Image.Image) -> int:
    """Return the number of channels as stored in the file; a transparent color adds one."""
    channels = 1 if image.mode.startswith("I") else _CHANNELS.get(image.mode, 3)
    return channels + (channels in (1, 3) and image.has_transparency_data)


def to_plain(image: Image.Image) -> Image.Image:
    """Return the image in mode L, RGB or RGBA; the same object if it already is."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(image)
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _lab_to_rgb()) or image
    if image.has_transparency_data:
        return image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def over_white(image: Image.Image) -> Image.Image:
    """Return a plain image (see `to_plain`) as RGB, composited over white."""
    if image.mode == "RGB":
        return image
    if image.mode == "L":
        return image.convert("RGB")
    canvas = Image.new("RGB", image.size, (255, 255, 255))
    canvas.paste(image, mask=image)
    return canvas


def _from_deep(image: Image.Image) -> Image.Image:
    """Scale grayscale of 12, 16 or 32 bits, or of floats, to 8 bits."""
    tags = getattr(image, "tag_v2", {})
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        bits = int(tags.get(_BITS_PER_SAMPLE, (16,))[0])
        gray = _sixteen_to_eight(bits)[values]
    else:
        if image.mode == "I" and tags.get(_SAMPLE_FORMAT, (0,))[0] == 1:
            values = values.view(np.uint32)
        gray = _scale(values, *_range(values, image))
    if tags.get(_PHOTOMETRIC) == 0 and image.mode != "F":
        gray = 255 - gray
    plain = Image.fromarray(gray)
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return plain
    return Image.merge("RGBA", (plain, plain, plain, Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))))


# TIFF tags
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_SAMPLE_FORMAT = 339


@lru_cache(maxsize=4)
def _sixteen_to_eight(bits: int) -> npt.NDArray[np.uint8]:
    peak = 2 ** min(max(bits, 1), 16) - 1
    return np.minimum(np.rint(np.arange(65536) * (255 / peak)), 255).astype(np.uint8)


def _range(values: npt.NDArray[np.generic], image: Image.Image) -> tuple[float, float]:
    """Return the values that map to black and white.

    A file of 32-bit numbers does not say which number is white. The narrowest common scale that holds all values is
    used (1 for floats, 255, 65,535 for integers), otherwise the image's own minimum and maximum.
    """
    if image.mode == "I" and image.format != "TIFF":
        return 0, 65535
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0, 1
    minimum, maximum = float(finite.min()), float(finite.max())
    for white in (1, 255) if image.mode == "F" else (255, 65535):
        if minimum >= 0 and maximum <= white:
            return 0, white
    return minimum, maximum


def _scale(values: npt.NDArray[np.generic], black: float, white: float) -> npt.NDArray[np.uint8]:
    span = (white - black) or 1.0
    scaled = (values.astype(np.float64) - black) * 255 / span
    return np.rint(np.clip(np.nan_to_num(scaled, posinf=255, neginf=0), 0, 255)).astype(np.uint8)


@lru_cache(maxsize=1)
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
