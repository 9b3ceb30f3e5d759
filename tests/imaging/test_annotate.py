from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from sparkcore.imaging.annotate import (
    TEXT_COLOR,
    TILE_COLOR,
    TILE_TEXT_COLOR,
    annotate,
    annotate_error,
    annotated_jpeg,
    to_jpeg,
)
from sparkcore.imaging.decode import ImageSize
from tests.imaging import pictures


def luminance(color: Sequence[float]) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    channels = [value / 255 for value in color]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: Sequence[float], second: Sequence[float]) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    "color", [(255, 255, 255), (0, 0, 0), (255, 255, 0), (0, 255, 0), (255, 0, 0), (128, 128, 128)]
)
def test_text_can_be_read_on_any_background(color: tuple[int, int, int]):
    pixels = np.asarray(annotate(Image.new("RGB", (300, 200), color), "tabby", 0.5))
    bar = pixels[-1, 0]
    assert contrast(TEXT_COLOR, bar.tolist()) >= 4.5
    letters = np.abs(pixels.astype(int) - TEXT_COLOR).max(axis=2) < 40
    assert letters[-40:].sum() > 50


def test_the_picture_above_the_bar_is_unchanged_and_the_input_too():
    image = pictures.photo(300, 400)
    before = image.copy()
    annotated = np.asarray(annotate(image, "tabby", 0.5))
    assert image == before
    np.testing.assert_array_equal(annotated[:250], np.asarray(before)[:250])
    assert (annotated[-1] != np.asarray(before)[-1]).any()


@pytest.mark.parametrize(
    ("height", "width"),
    [(32, 32), (48, 48), (200, 300), (8000, 100), (100, 8000), (3000, 4000), (1, 1), (1, 5000), (5000, 1), (20, 3)],
)
def test_every_size_works(height: int, width: int):
    image = Image.new("RGB", (width, height), "white")
    annotated = annotate(image, "American_Staffordshire_terrier", 0.987, detail=["bull terrier 1.2%"] * 4)
    assert (annotated.mode, annotated.size) == ("RGB", (width, height))
    # The dark bar has white letters wherever there is room for letters.
    rows = np.asarray(annotated)[:, :, 0]
    bar = (rows < 128).any(axis=1)
    assert bar.any()
    assert (rows[bar] > 220).any() or min(height, width) < 32


def test_text_is_in_proportion():
    small = np.asarray(annotate(Image.new("RGB", (400, 300), "white"), "tabby"))
    large = np.asarray(annotate(Image.new("RGB", (4000, 3000), "white"), "tabby"))
    shares = [float((pixels[:, 0, 0] < 128).mean()) for pixels in (small, large)]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_underscores_are_drawn_as_spaces_and_an_empty_label_as_nothing():
    image = pictures.photo(300, 400)
    assert annotate(image, "tabby_cat") == annotate(image, "tabby cat")
    assert annotate(image, "") == image
    assert annotate(image, "tabby", 0.5) != annotate(image, "tabby")
    assert annotate(image, "tabby", 1.0) == annotate(image, "tabby", 0.99999)


def test_annotated_jpeg_reduces_before_it_draws():
    image = pictures.photo(300, 400)
    content = pictures.png(image)
    assert annotated_jpeg(content, "tabby", 0.5) == to_jpeg(annotate(image, "tabby", 0.5))
    assert annotated_jpeg(content, "tabby", 0.5, 400) == annotated_jpeg(content, "tabby", 0.5)
    small = Image.open(io.BytesIO(annotated_jpeg(content, "tabby", 0.5, 200)))
    assert (small.format, small.size) == ("JPEG", (200, 150))


@pytest.mark.parametrize(
    "label",
    ["写真", "قطة", "кот", "🐈‍⬛", "a\nb\0c\x1b[31m", "\ud800", "x" * 1_000_000, "\u202eabc", "e\u0301" * 500, " \t "],
)
def test_hostile_labels_do_not_crash(label: str):
    image = pictures.photo(200, 300)
    assert annotate(image, label, 0.5, detail=[label]).size == (300, 200)
    assert annotate_error(ImageSize(200, 300), label, label).size == (300, 200)


def test_details_that_do_not_fit_are_left_out():
    image = Image.new("RGB", (400, 300), "white")
    few, many = (annotate(image, "tabby", 0.5, detail=["lynx"] * count) for count in (100, 1000))
    assert few == many
    assert (np.asarray(few)[:80] == 255).all()


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (32, 32), (64, 64), (256, 256), (200, 1000), (1000, 200), (3000, 4000)]
)
def test_error_tiles_of_every_size(height: int, width: int):
    tile = annotate_error(ImageSize(height, width), "not_an_image", "The file is a web page, not an image.")
    assert (tile.mode, tile.size) == ("RGB", (width, height))
    assert tile.getpixel((0, 0)) == TILE_COLOR
    assert len(tile.getcolors(height * width) or []) > 1 or min(height, width) < 32


def test_error_tiles_say_why():
    size = ImageSize(256, 256)
    assert contrast(TILE_COLOR, TILE_TEXT_COLOR) >= 4.5
    assert annotate_error(size, "corrupt", "One reason.") != annotate_error(size, "corrupt", "Another reason.")
    assert annotate_error(size, "corrupt", "One reason.") != annotate_error(size, "truncated", "One reason.")
