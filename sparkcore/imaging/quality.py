"""Measures of a picture that need no model: a perceptual hash, brightness, contrast and sharpness."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE = 32
_FREQUENCIES = 8
_DECIMALS = 3  # of a coefficient: rounding errors of a flat picture must not become bits


class Quality(NamedTuple):
    """Hold the measures of one picture.

    `perceptual_hash` has 64 bits, as a signed number; similar pictures differ in few of them. `brightness` and
    `contrast` are mean and standard deviation of the luma, from 0 to 1. `sharpness` is the variance of the Laplacian of
    the luma from 0 to 255; it is comparable between pictures of one size only.
    """

    perceptual_hash: int
    brightness: float
    contrast: float
    sharpness: float


def measure(picture: Image.Image) -> Quality:
    """Measure an RGB picture, best one of thumbnail size: pictures of all sizes are then comparable."""
    gray = picture.convert("L")
    luma = np.asarray(gray)
    return Quality(
        perceptual_hash(gray), float(luma.mean()) / 255, float(luma.std(dtype=np.float32)) / 255, _sharpness(luma)
    )


def perceptual_hash(gray: Image.Image) -> int:
    """Return 64 bits of a grayscale picture: which of its 8 x 8 lowest frequencies are above their median.

    The discrete cosine transform of a picture of 32 x 32 pixels (Zauner 2010, "Implementation and Benchmarking of
    Perceptual Image Hash Functions").
    """
    small = np.asarray(gray.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64)
    cosines = _cosines()
    frequencies = (cosines @ small @ cosines.T).round(_DECIMALS).ravel()
    bits = frequencies > np.median(frequencies[1:])  # the first one is the mean of the picture
    return int(np.packbits(bits).view(">i8")[0])


def _sharpness(luma: npt.NDArray[np.uint8]) -> float:
    if min(luma.shape) < 3:
        return 0.0
    values = luma.astype(np.int16)
    center = values[1:-1, 1:-1]
    laplacian = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * center
    return float(laplacian.var(dtype=np.float32))


@cache
def _cosines() -> npt.NDArray[np.float64]:
    angles = np.pi * np.outer(np.arange(_FREQUENCIES), 2 * np.arange(_SIDE) + 1) / (2 * _SIDE)
    return np.cos(angles)
