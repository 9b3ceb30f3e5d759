from __future__ import annotations

import numpy as np

from training.augment import apply_augmentation, draw_augmentation
from training.recipe import Recipe

RECIPE = Recipe(steps=1, min_area=0.3, max_stretch=1.5, color_strength=0.2)


def test_boxes_lie_in_the_image_and_keep_the_area():
    boxes = draw_augmentation(RECIPE, 2000, np.random.default_rng(0)).boxes
    top, left, bottom, right = boxes.T
    assert boxes.min() >= 0.0
    assert boxes.max() <= 1.0 + 1e-6
    area = (bottom - top) * np.abs(right - left)
    assert area.min() >= 0.3 / 1.5
    assert 0.4 < (right < left).mean() < 0.6


def test_whole_image_comes_back_unchanged_and_mirrored():
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    boxes = np.array([[0, 0, 1, 1], [0, 1, 1, 0]], np.float32)
    neutral = np.array([[1, 1, 0]] * 2, np.float32)
    received = apply_augmentation(images, boxes, neutral, 64).numpy()
    np.testing.assert_allclose(received[0], images[0], atol=1e-2)
    np.testing.assert_allclose(received[1], images[1, :, ::-1], atol=1e-2)


def test_saturation_zero_makes_grey_and_offset_brightens():
    images = np.full((1, 64, 64, 3), (200, 100, 50), np.uint8)
    whole = np.array([[0, 0, 1, 1]], np.float32)
    received = apply_augmentation(images, whole, np.array([[1, 0, 10]], np.float32), 32).numpy()
    grey = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    np.testing.assert_allclose(received, np.full((1, 32, 32, 3), grey + 10), rtol=1e-4)
