from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from sparkcore.errors import ImageError
from sparkcore.imaging.bounded import Bounds, PictureChecker
from tests.imaging.pictures import jpeg, png, save

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")


@pytest.fixture
def checker() -> Iterator[PictureChecker]:
    """Give a checker with the usual bounds."""
    with PictureChecker(Bounds()) as checker:
        yield checker


def zeros(side: int) -> bytes:
    """Return a small file of many float pixels."""
    return save(Image.fromarray(np.zeros((side, side), np.float32)), "TIFF", compression="tiff_adobe_deflate")


def test_good_and_bad_pictures_in_one_child(checker: PictureChecker):
    checker.check(jpeg())
    with pytest.raises(ImageError, match="The file is text") as error:
        checker.check(b"hello, this is no picture")
    assert error.value.error_type == "not_an_image"
    checker.check(png())


def test_pixels_are_counted_before_decoding():
    with PictureChecker(Bounds(pixels=3_000_000)) as checker:
        with pytest.raises(ImageError, match="4 million pixels, more than the limit of 3"):
            checker.check(zeros(2000))
        checker.check(zeros(1000))


@linux_only
def test_a_picture_that_needs_too_much_memory_is_refused_alone():
    with PictureChecker(Bounds(memory_bytes=100_000_000)) as checker:
        with pytest.raises(ImageError, match="does not fit in memory") as error:
            checker.check(zeros(6000))
        assert error.value.error_type == "too_large"
        checker.check(zeros(100))


@linux_only
def test_a_picture_that_ends_the_child_is_refused_alone():
    with PictureChecker(Bounds(memory_bytes=50_000_000)) as checker:
        with pytest.raises(ImageError, match=r"The decoder crashed \(status 1\): hostile, or over 50 MB"):
            checker.check(png() + bytes(80_000_000))
        checker.check(png())


def test_a_picture_that_takes_too_long_is_refused_alone():
    with PictureChecker(Bounds(time_s=0.001)) as checker:
        with pytest.raises(ImageError, match=r"Decoding takes more than 0\.001 s"):
            checker.check(zeros(6000))
        with pytest.raises(ImageError, match=r"Decoding takes more than 0\.001 s"):
            checker.check(zeros(6001))
