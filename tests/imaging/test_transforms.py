from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sparkcore.config import INTERPOLATIONS, RESIZE_MODES
from sparkcore.errors import ConfigError
from sparkcore.imaging.transforms import PADDING, ImageSize, resize, to_array
from tests.imaging import pictures

SIZE = ImageSize(30, 40)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_stretch_is_pillows_resize(interpolation: str):
    image = pictures.photo(123, 77)
    expected = image.resize((40, 30), Image.Resampling[interpolation.upper()])
    np.testing.assert_array_equal(to_array(resize(image, SIZE, "stretch", interpolation)), np.asarray(expected))


@pytest.mark.parametrize("mode", RESIZE_MODES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("height", "width"), [(1, 5000), (5000, 1), (1, 1), (30, 40), (31, 39), (500, 333)])
def test_every_shape_gives_the_size(mode: str, interpolation: str, height: int, width: int):
    image = Image.new("RGB", (width, height), (200, 100, 50))
    pixels = to_array(resize(image, SIZE, mode, interpolation))
    assert pixels.shape == (30, 40, 3)
    assert pixels.dtype == np.uint8
    assert {tuple(color) for color in pixels.reshape(-1, 3).tolist()} <= {(200, 100, 50), PADDING}


def test_crop_keeps_the_middle():
    columns = np.repeat(np.arange(0, 240, 2, dtype=np.uint8), 1)
    image = Image.fromarray(np.tile(columns[None, :, None], (30, 1, 3)))
    pixels = to_array(resize(image, SIZE, "crop", "bicubic"))
    np.testing.assert_array_equal(pixels[:, :, 0], np.tile(columns[40:80], (30, 1)))


def test_crop_does_not_stretch():
    image = pictures.photo(120, 120)
    expected = image.resize((40, 40), Image.Resampling.BICUBIC).crop((0, 5, 40, 35))
    pixels = to_array(resize(image, SIZE, "crop", "bicubic"))
    assert np.abs(pixels.astype(int) - np.asarray(expected)).max() <= 1


def test_pad_keeps_everything_and_centers_it():
    image = pictures.photo(60, 40)
    pixels = to_array(resize(image, SIZE, "pad", "bicubic"))
    np.testing.assert_array_equal(pixels[:, 10:30], np.asarray(image.resize((20, 30), Image.Resampling.BICUBIC)))
    assert {tuple(color) for color in pixels[:, [*range(10), *range(30, 40)]].reshape(-1, 3).tolist()} == {PADDING}


@pytest.mark.parametrize(("mode", "interpolation"), [("squash", "bicubic"), ("stretch", "cubic")])
def test_unknown_words(mode: str, interpolation: str):
    with pytest.raises(ConfigError, match=r"expected one of .*, received '(squash|cubic)'"):
        resize(pictures.photo(), SIZE, mode, interpolation)
