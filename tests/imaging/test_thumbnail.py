from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sparkcore.imaging.thumbnail import thumbnail
from tests.imaging import pictures


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (375, 500, (256, 192)),
        (1000, 500, (128, 256)),
        (256, 256, (256, 256)),
        (48, 64, (64, 48)),
        (1, 5000, (256, 1)),
        (5000, 1, (1, 256)),
    ],
)
def test_long_side(height: int, width: int, expected: tuple[int, int]):
    image = opened(thumbnail(pictures.photo(height, width)))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected)


def test_looks_like_the_image():
    image = pictures.photo(900, 1200)
    expected = image.resize((256, 192), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(opened(thumbnail(image)), np.int16) - np.asarray(expected)).mean() < 3


def test_quality_and_side_can_be_chosen():
    image = pictures.photo(600, 600)
    assert opened(thumbnail(image, 100)).size == (100, 100)
    assert len(thumbnail(image, quality=95)) > len(thumbnail(image, quality=40))
