from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from sparkcore.imaging.quality import Quality, measure
from sparkcore.imaging.thumbnail import shrink
from tests.imaging.pictures import sample_photos


def _differing_bits(one: Quality, other: Quality) -> int:
    return ((one.perceptual_hash ^ other.perceptual_hash) & (2**64 - 1)).bit_count()


def _recompressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=40)
    return Image.open(file).convert("RGB")


def test_flat_pictures():
    black, white = (measure(Image.new("RGB", (40, 30), (value,) * 3)) for value in (0, 255))
    assert (black.brightness, black.contrast, black.sharpness) == (0.0, 0.0, 0.0)
    assert (white.brightness, white.contrast, white.sharpness) == (1.0, 0.0, 0.0)
    assert measure(Image.new("RGB", (2, 200), "red")).sharpness == 0.0


def test_values_of_a_known_picture():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    found = measure(Image.fromarray(stripes))
    np.testing.assert_allclose(found[1:], (100 / 255, 100 / 255, 400.0**2), rtol=1e-6)  # Laplacian: -400 and 400


def test_a_copy_has_nearly_the_same_hash_and_another_picture_has_not():
    pictures = [shrink(photo) for photo in sample_photos(12)]
    found = [measure(picture) for picture in pictures]
    for picture, original in zip(pictures, found, strict=True):
        copies = _recompressed(picture), picture.resize((picture.width // 2, picture.height // 2))
        assert max(_differing_bits(original, measure(copy)) for copy in copies) <= 6
        assert measure(picture.filter(ImageFilter.GaussianBlur(3))).sharpness < original.sharpness / 4
        assert measure(ImageEnhance.Brightness(picture).enhance(0.5)).brightness < original.brightness * 0.55
    others = [_differing_bits(one, other) for i, one in enumerate(found) for other in found[:i]]
    assert min(others) > 12
    assert all(-(2**63) <= one.perceptual_hash < 2**63 for one in found)
