"""Lens blur: gaussian blur of float pictures, and blur that grows with the distance from the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sparkcore.samples.noise import Floats, resize_field

if TYPE_CHECKING:
    from sparkcore.samples.view import View


def blur(field: Floats, sigma: float) -> Floats:
    """Blur a 2-D field with a gaussian of `sigma` pixels; wide ones are computed on a smaller field."""
    if sigma < 0.3:
        return field
    height, width = field.shape
    step = max(1, int(sigma / 2.5))
    small = field
    if step > 1:
        reduced = Image.fromarray(np.ascontiguousarray(field)).resize(
            (max(2, width // step), max(2, height // step)), Image.Resampling.BOX
        )
        small = np.asarray(reduced)
    weights = kernel(sigma / step)
    reach = len(weights) // 2
    padded = np.pad(small, reach, mode="edge")
    rows = np.zeros((small.shape[0], padded.shape[1]), np.float32)
    both = np.zeros(small.shape, np.float32)
    for i, weight in enumerate(weights):
        rows += weight * padded[i : i + small.shape[0]]
    for i, weight in enumerate(weights):
        both += weight * rows[:, i : i + small.shape[1]]
    return both if step == 1 else resize_field(both, height, width)


def kernel(sigma: float) -> list[np.float32]:
    """Give the weights of a 1-D gaussian."""
    reach = max(1, int(np.ceil(2.5 * sigma)))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return [np.float32(weight) for weight in weights / weights.sum()]


def blur_rgb(picture: Floats, sigma: float) -> Floats:
    """Blur a picture of shape (height, width, 3)."""
    return np.stack([blur(picture[:, :, channel], sigma) for channel in range(3)], axis=2)


def blur_by_depth(picture: Floats, depth: Floats, view: View, focus: float, aperture: float) -> Floats:
    """Blur pixels (3, n) by how far their depth is from the focus, as a lens does."""
    if aperture <= 0:
        return picture
    circle = aperture * view.focal * np.abs(1.0 / focus - 1.0 / np.maximum(depth, 0.05)) * 0.5
    widest = float(np.percentile(circle, 99))
    if widest < 0.4:
        return picture
    sigmas = [0.0] + [widest * part for part in (0.12, 0.35, 1.0)]
    shape = (view.height, view.width)
    result = np.zeros_like(picture)
    layers = [np.stack([blur(c.reshape(shape), sigma).reshape(-1) for c in picture]) for sigma in sigmas]
    for number, layer in enumerate(layers):
        result += layer * tent(circle, sigmas, number)
    return result


def tent(value: Floats, knots: list[float], number: int) -> Floats:
    """Give the weight of one knot in a linear interpolation between knots."""
    rise = np.ones_like(value)
    if number > 0:
        rise = np.clip((value - knots[number - 1]) / (knots[number] - knots[number - 1]), 0.0, 1.0)
    if number + 1 < len(knots):
        rise = rise - np.clip((value - knots[number]) / (knots[number + 1] - knots[number]), 0.0, 1.0)
    return np.maximum(rise, 0.0)
