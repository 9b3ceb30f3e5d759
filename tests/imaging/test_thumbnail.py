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
        (375, 500, (250, 188)),
        (450, 600, (256, 192)),
        (330, 440, (256, 192)),
        (3000, 4000, (236, 177)),
        (1000, 500, (125, 250)),
        (256, 256, (256, 256)),
        (48, 64, (64, 48)),
        (1, 5000, (239, 1)),
        (5000, 1, (1, 239)),
    ],
)
def test_long_side(height: int, width: int, expected: tuple[int, int]):
    image = opened(thumbnail(pictures.photo(height, width)))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected)


@pytest.mark.parametrize(("height", "width"), [(900, 1200), (330, 440), (375, 500)])
def test_looks_like_the_image(height: int, width: int):
    image = pictures.photo(height, width)
    small = opened(thumbnail(image))
    expected = image.resize(small.size, Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(small, np.int16) - np.asarray(expected)).mean() < 3


def test_quality_and_side_can_be_chosen():
    image = pictures.photo(600, 600)
    assert opened(thumbnail(image, 100)).size == (100, 100)
    assert len(thumbnail(image, quality=95)) > len(thumbnail(image, quality=40))
