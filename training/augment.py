"""Random crops, flips and colors, decided in NumPy and applied to a whole batch in TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.recipe import Recipe

LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentation:
    """Say what happens to each image of a batch.

    `boxes` (n, 4) are top, left, bottom, right as shares of the image, left and right swapped for a mirrored image;
    `colors` (n, 3) are contrast and saturation factors and a brightness offset in levels of 0 to 255.
    """

    boxes: npt.NDArray[np.float32]
    colors: npt.NDArray[np.float32]


def draw_augmentation(recipe: Recipe, count: int, rng: np.random.Generator) -> Augmentation:
    """Draw crops of random area and aspect, mirror half of them, and vary colors mildly.

    Crops with a changed aspect prepare for photos that are stretched to a square.
    """
    area = rng.uniform(recipe.min_area, 1.0, count)
    stretch = np.exp(rng.uniform(-1.0, 1.0, count) * np.log(recipe.max_stretch))
    height = np.minimum(1.0, np.sqrt(area * stretch))
    width = np.minimum(1.0, np.sqrt(area / stretch))
    top = rng.uniform(0.0, 1.0, count) * (1.0 - height)
    left = rng.uniform(0.0, 1.0, count) * (1.0 - width)
    right = left + width
    mirrored = rng.random(count) < 0.5
    boxes = np.stack([top, np.where(mirrored, right, left), top + height, np.where(mirrored, left, right)], axis=1)
    strength = recipe.color_strength
    factors = rng.uniform(1.0 - strength, 1.0 + strength, (count, 2))
    offset = rng.uniform(-strength, strength, (count, 1)) * 127.5
    return Augmentation(boxes.astype(np.float32), np.concatenate([factors, offset], axis=1).astype(np.float32))


def apply_augmentation(images: Any, boxes: Any, colors: Any, side: int) -> Any:
    """Cut, resize (bilinear) and recolor a uint8 batch (n, h, w, 3) to float32 (n, side, side, 3) of 0 to 255."""
    import tensorflow as tf

    x = tf.image.crop_and_resize(tf.cast(images, tf.float32), boxes, tf.range(tf.shape(boxes)[0]), (side, side))
    contrast, saturation, offset = (colors[:, i, None, None, None] for i in range(3))
    grey = tf.tensordot(x, tf.constant(LUMA), 1)[..., None]
    x = grey + (x - grey) * saturation
    return tf.clip_by_value((x - 127.5) * contrast + 127.5 + offset, 0.0, 255.0)
