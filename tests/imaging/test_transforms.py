from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sparkcore.config import INTERPOLATIONS, RESIZE_MODES, Fit
from sparkcore.errors import ConfigError
from sparkcore.imaging.transforms import PADDING, ImageSize, resize, size_before_crop, to_array
from tests.imaging import pictures

SIZE = ImageSize(30, 40)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_stretch_is_pillows_resize(interpolation: str):
    image = pictures.photo(123, 77)
    expected = image.resize((40, 30), Image.Resampling[interpolation.upper()])
    np.testing.assert_array_equal(to_array(resize(image, SIZE, Fit("stretch"), interpolation)), np.asarray(expected))


@pytest.mark.parametrize("mode", RESIZE_MODES[1:])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("height", "width"), [(1, 5000), (5000, 1), (1, 1), (30, 40), (31, 39), (500, 333)])
def test_every_shape_gives_the_size(mode: str, interpolation: str, height: int, width: int):
    image = Image.new("RGB", (width, height), (200, 100, 50))
    pixels = to_array(resize(image, SIZE, Fit(mode), interpolation))
    assert pixels.shape == (30, 40, 3)
    assert pixels.dtype == np.uint8
    assert {tuple(color) for color in pixels.reshape(-1, 3).tolist()} <= {(200, 100, 50), PADDING}


def test_crop_keeps_the_middle():
    columns = np.repeat(np.arange(0, 240, 2, dtype=np.uint8), 1)
    image = Image.fromarray(np.tile(columns[None, :, None], (30, 1, 3)))
    pixels = to_array(resize(image, SIZE, Fit("crop"), "bicubic"))
    np.testing.assert_array_equal(pixels[:, :, 0], np.tile(columns[40:80], (30, 1)))


def test_crop_does_not_stretch():
    image = pictures.photo(120, 120)
    expected = image.crop((0, 15, 120, 105)).resize((40, 30), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(to_array(resize(image, SIZE, Fit("crop"), "bicubic")), np.asarray(expected))


def test_crop_ratio_keeps_that_much_of_the_shorter_side():
    image = pictures.photo(200, 160)
    expected = image.crop((10, 30, 150, 170)).resize((32, 32), Image.Resampling.BICUBIC)
    pixels = to_array(resize(image, ImageSize(32, 32), Fit("crop", 0.875), "bicubic"))
    np.testing.assert_array_equal(pixels, np.asarray(expected))


def test_size_before_crop_leaves_enough_pixels_for_the_crop():
    assert size_before_crop(ImageSize(224, 224), Fit("crop", 224 / 256)) == ImageSize(256, 256)
    assert size_before_crop(ImageSize(224, 299), Fit("crop", 0.9)) == ImageSize(249, 333)
    assert size_before_crop(SIZE, Fit("stretch")) == SIZE


def test_pad_keeps_everything_and_centers_it():
    image = pictures.photo(60, 40)
    pixels = to_array(resize(image, SIZE, Fit("pad"), "bicubic"))
    np.testing.assert_array_equal(pixels[:, 10:30], np.asarray(image.resize((20, 30), Image.Resampling.BICUBIC)))
    assert {tuple(color) for color in pixels[:, [*range(10), *range(30, 40)]].reshape(-1, 3).tolist()} == {PADDING}


def test_unknown_interpolation():
    with pytest.raises(ConfigError, match=r"expected one of .*, received 'cubic'"):
        resize(pictures.photo(), SIZE, Fit("stretch"), "cubic")
