"""Text that is safe to draw and fits its place, in the font that comes with Pillow. Sizes are in pixels."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

# No caption is longer; to measure a megabyte of text takes seconds.
_LONGEST = 300
# Small letters are drawn so many times as large and reduced: hinting would move them apart unevenly.
_OVERSAMPLING = 4
_SMALL = 40


def clean(text: str) -> str:
    """Return a text of one line that can be drawn: underscores as spaces, no control characters, no accents.

    The built-in font knows the letters of English only; it shows a box for what has no such letter beneath.
    """
    plain = unicodedata.normalize("NFKD", text[:_LONGEST].replace("_", " "))
    kept = (letter for letter in plain if unicodedata.category(letter) != "Mn")
    visible = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in kept)
    return " ".join(visible.split())


def line_height(size: int) -> int:
    """Return the height of one line of text."""
    return round(size * 1.3)


def text_width(text: str, size: int) -> float:
    """Return the width of a text."""
    return _load_font(size * _OVERSAMPLING).getlength(text) / _OVERSAMPLING


def shorten(text: str, size: int, room: float) -> str:
    """Return the text, or as much of its beginning as fits into `room` pixels together with an ellipsis."""
    if text_width(text, size) <= room:
        return text
    fitting, too_long = 0, len(text)
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        if text_width(text[:middle].rstrip() + ELLIPSIS, size) <= room:
            fitting = middle
        else:
            too_long = middle
    return text[:fitting].rstrip() + ELLIPSIS if fitting else ""


def wrap(text: str, size: int, room: float, most: int) -> list[str]:
    """Return at most `most` lines that fit into `room` pixels; the last one is shortened where there is more."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        count = 1
        while count < len(words) and text_width(" ".join(words[: count + 1]), size) <= room:
            count += 1
        if len(lines) == most - 1:
            count = len(words)
        lines.append(shorten(" ".join(words[:count]), size, room))
        words = words[count:]
    return lines


def draw_text(
    image: Image.Image, left_middle: tuple[float, float], text: str, size: int, color: tuple[int, int, int]
) -> None:
    """Draw a line of text from the middle of its left end."""
    if not text:
        return
    if size >= _SMALL:
        ImageDraw.Draw(image).text(left_middle, text, color, _load_font(size), "lm")
        return
    height, width = line_height(size), round(text_width(text, size)) + 2
    mask = Image.new("L", (width * _OVERSAMPLING, height * _OVERSAMPLING))
    font = _load_font(size * _OVERSAMPLING)
    ImageDraw.Draw(mask).text((0, mask.height / 2), text, 255, font, "lm")
    left, middle = left_middle
    image.paste(color, (round(left), round(middle - height / 2)), mask.reduce(_OVERSAMPLING))


@lru_cache(maxsize=64)
def _load_font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Expected a Pillow with FreeType, received one without. Install Pillow from its own wheel.")
    return font
