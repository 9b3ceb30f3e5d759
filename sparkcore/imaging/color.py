"""Conversion of any Pillow mode to 8-bit grayscale, RGB or RGBA, and from there to RGB."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

_CHANNELS = {"1": 1, "L": 1, "LA": 2, "La": 2, "P": 3, "PA": 4, "RGBA": 4, "RGBa": 4, "RGBX": 4, "CMYK": 4, "F": 1}
_BLOCK_PIXELS = 1_000_000

_Values = npt.NDArray[np.generic]
_Gray = npt.NDArray[np.uint8]


def count_channels(image: Image.Image) -> int:
    """Return the number of channels as stored in the file; a transparent color adds one."""
    channels = 1 if image.mode.startswith("I") else _CHANNELS.get(image.mode, 3)
    return channels + (channels in (1, 3) and image.has_transparency_data)


def to_plain(image: Image.Image) -> Image.Image:
    """Return the image in mode L, RGB or RGBA; the same object if it already is."""
    if image.mode == "RGBA" or (image.mode in ("L", "RGB") and "transparency" not in image.info):
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
    """Scale grayscale of 12, 16 or 32 bits, or of floats, to 8 bits, block by block."""
    convert = _eight_bit_conversion(image)
    key = image.info.get("transparency")
    plain = Image.new("L", image.size)
    alpha = Image.new("L", image.size) if isinstance(key, int) else None
    for corner, values in _blocks(image):
        plain.paste(Image.fromarray(convert(values)), corner)
        if alpha is not None:
            alpha.paste(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)), corner)
    return plain if alpha is None else Image.merge("RGBA", (plain, plain, plain, alpha))


def _eight_bit_conversion(image: Image.Image) -> Callable[[_Values], _Gray]:
    tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16"):
        table = _sixteen_to_eight(int(tags.get(_BITS_PER_SAMPLE, (16,))[0]))
        if tags.get(_PHOTOMETRIC) == 0:
            table = 255 - table
        return lambda values: table[values]
    black, white = _range(image)
    is_inverted = tags.get(_PHOTOMETRIC) == 0 and image.mode != "F"
    return lambda values: 255 - _scale(values, black, white) if is_inverted else _scale(values, black, white)


def _blocks(image: Image.Image) -> Iterator[tuple[tuple[int, int], _Values]]:
    """Yield (left, top) and the values of blocks of pixels: arrays of a whole large image take gigabytes."""
    tags = getattr(image, "tag_v2", {})
    is_unsigned = image.mode == "I" and tags.get(_SAMPLE_FORMAT, (0,))[0] == 1
    width = min(image.width, _BLOCK_PIXELS)
    height = max(1, _BLOCK_PIXELS // max(1, width))
    for top, left in product(range(0, image.height, height), range(0, image.width, max(1, width))):
        box = (left, top, min(left + width, image.width), min(top + height, image.height))
        values = np.asarray(image.crop(box))
        yield (left, top), values.view(np.uint32) if is_unsigned else values


# TIFF tags
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_SAMPLE_FORMAT = 339


@lru_cache(maxsize=4)
def _sixteen_to_eight(bits: int) -> _Gray:
    peak = 2 ** min(max(bits, 1), 16) - 1
    return np.minimum(np.rint(np.arange(65536) * (255 / peak)), 255).astype(np.uint8)


def _range(image: Image.Image) -> tuple[float, float]:
    """Return the values that map to black and white.

    A file of 32-bit numbers does not say which number is white. The narrowest common scale that holds all values is
    used (1 for floats, 255, 65,535 for integers), otherwise the image's own minimum and maximum.
    """
    if image.mode == "I" and image.format != "TIFF":
        return 0, 65535
    minimum, maximum = _finite_range(image)
    if minimum > maximum:
        return 0, 1
    for white in (1, 255) if image.mode == "F" else (255, 65535):
        if minimum >= 0 and maximum <= white:
            return 0, white
    return minimum, maximum


def _finite_range(image: Image.Image) -> tuple[float, float]:
    """Return minimum and maximum of the finite values; (inf, -inf) where there are none."""
    minimum, maximum = math.inf, -math.inf
    for _, values in _blocks(image):
        finite = values[np.isfinite(values)]
        if finite.size:
            minimum, maximum = min(minimum, float(finite.min())), max(maximum, float(finite.max()))
    return minimum, maximum


def _scale(values: _Values, black: float, white: float) -> _Gray:
    span = (white - black) or 1.0
    # In float32, large integers would lose digits and halves would round differently.
    scaled = (values.astype(np.float64) - black) * 255 / span
    return np.rint(np.clip(np.nan_to_num(scaled, posinf=255, neginf=0), 0, 255)).astype(np.uint8)


@lru_cache(maxsize=1)
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
