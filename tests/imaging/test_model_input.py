from __future__ import annotations

from typing import Any

import pytest

from sparkcore.config import Fit
from sparkcore.imaging.annotate import to_jpeg
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.model_input import decode_model_input, model_input_jpeg
from sparkcore.imaging.transforms import resize
from tests.imaging import pictures

SIZE = ImageSize(32, 32)
CROP = Fit("crop", 0.875)
CONFIG: dict[str, Any] = {"interpolation": "bicubic", "keep": [], "reader": "bytes"}


def test_a_large_photo_is_reduced_but_not_below_the_thumbnail():
    content = pictures.jpeg(pictures.photo(960, 1280))
    decoded = decode_model_input(content, SIZE, CROP, full_size=False)
    assert (decoded.height, decoded.width, decoded.image.size) == (960, 1280, (320, 240))
    assert decode(content, target=SIZE).image.size == (160, 120)
    assert decode_model_input(content, SIZE, CROP, full_size=True).image.size == (1280, 960)


@pytest.mark.parametrize(
    ("changed", "full_size"), [({}, False), ({"keep": ["scores", "pixels"]}, True), ({"reader": "image"}, True)]
)
def test_the_picture_is_what_the_worker_computed(changed: dict[str, Any], full_size: bool):
    content = pictures.jpeg(pictures.photo(960, 1280))
    decoded = decode_model_input(content, SIZE, CROP, full_size=full_size)
    expected = to_jpeg(resize(decoded.image, SIZE, CROP, "bicubic"))
    assert model_input_jpeg(content, {**CONFIG, **changed}, SIZE, CROP) == expected
    other = decode_model_input(content, SIZE, CROP, full_size=not full_size)
    assert to_jpeg(resize(other.image, SIZE, CROP, "bicubic")) != expected
