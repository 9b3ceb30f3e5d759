"""Text on pictures: cleaned, shortened, wrapped and drawn in the font bundled with Pillow. Sizes are in pixels."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

# Measuring a megabyte of text takes seconds.
_MAX_CHARACTERS = 300
# Small text is drawn at this multiple of its size and reduced, because hinting spaces small letters unevenly.
_OVERSAMPLING = 4
_MIN_PLAIN_SIZE = 40


def display_name(name: str) -> str:
    """Return a class or error type as people read it: underscores become spaces."""
    return name.replace("_", " ")


def percent(share: float) -> str:
    """Return a share or a score (0 to 1) as people read it, as in "83.3 %"."""
    return f"{100 * share:.1f} %"


def clean(text: str) -> str:
    """Return the text as one drawable line: underscores as spaces, no control characters, no accents.

    The bundled font covers Latin letters without accents; other characters are drawn as boxes.
    """
    plain = unicodedata.normalize("NFKD", display_name(text[:_MAX_CHARACTERS]))
    kept = (letter for letter in plain if unicodedata.category(letter) != "Mn")
    visible = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in kept)
    return " ".join(visible.split())


def line_height(size: int) -> int:
    """Return the height of one line of text, with its leading."""
    return round(size * 1.3)


def text_width(text: str, size: int) -> float:
    """Return the width of a text."""
    return _load_font(size * _OVERSAMPLING).getlength(text) / _OVERSAMPLING


def shorten(text: str, size: int, room: float) -> str:
    """Return the text, cut and ended with an ellipsis where it is wider than `room` pixels."""
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


def wrap(text: str, size: int, room: float, max_lines: int) -> list[str]:
    """Return at most `max_lines` lines of at most `room` pixels; the last one is shortened to fit the rest."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < max_lines:
        count = 1
        while count < len(words) and text_width(" ".join(words[: count + 1]), size) <= room:
            count += 1
        if len(lines) == max_lines - 1:
            count = len(words)
        lines.append(shorten(" ".join(words[:count]), size, room))
        words = words[count:]
    return lines


def draw_text(
    image: Image.Image, left_middle: tuple[float, float], text: str, size: int, color: tuple[int, int, int]
) -> None:
    """Draw one line of text in place, starting at the vertical middle of its left edge."""
    if not text:
        return
    if size >= _MIN_PLAIN_SIZE:
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
        raise TypeError(
            "Expected Pillow with FreeType support, received one without. Reinstall Pillow from its official wheel."
        )
    return font
