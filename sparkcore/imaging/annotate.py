"""Annotated pictures: the label drawn on an image, and placeholder tiles for unreadable images."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.lettering import clean, draw_text, line_height, percent, shorten, text_width, wrap

BAR_COLOR = (16, 19, 23)
BAR_OPACITY = 0.76  # keeps the text contrast above 8:1 even over pure white
TEXT_COLOR = (255, 255, 255)
TILE_COLOR = (229, 231, 235)
TILE_TEXT_COLOR = (55, 62, 71)
TILE_ICON_COLOR = (139, 147, 158)

JPEG_QUALITY = 90

_MIN_TEXT_SIZE = 9


def annotate(image: Image.Image, label: str, score: float | None = None, *, detail: Sequence[str] = ()) -> Image.Image:
    """Draw a label, its score (0 to 1) and lines of detail on a copy of an RGB image.

    The text is white on a dark translucent bar at the bottom and scales with the image, so it is legible on any
    background and at any size. Text that is too long ends with an ellipsis; details that do not fit are omitted.
    """
    picture = image.copy() if image.mode == "RGB" else image.convert("RGB")
    size = _text_size(picture)
    margin = max(2, size // 2)
    rows = _rows(clean(label), "" if score is None else percent(score), size, picture.width - 2 * margin)
    rows += [_Row(clean(line), "", max(_MIN_TEXT_SIZE, round(size * 0.8))) for line in detail]
    rows = [row for row in rows if row.left or row.right]
    while len(rows) > 1 and sum(row.height for row in rows) + margin > 0.7 * picture.height:
        rows.pop()
    if not rows:
        return picture
    top = max(0, picture.height - sum(row.height for row in rows) - margin)
    _darken(picture, top)
    y = top + margin // 2
    for row in rows:
        _draw_row(picture, row, margin, y + row.height / 2)
        y += row.height
    return picture


def annotated_jpeg(content: bytes, label: str, score: float | None, long_side: int | None = None) -> bytes:
    """Return an image file as JPEG with label and score drawn on it, at most `long_side` pixels long.

    Raises ImageError.
    """
    picture = decode(content).image
    if long_side is not None and max(picture.size) > long_side:
        picture.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return to_jpeg(annotate(picture, label, score))


def to_jpeg(picture: Image.Image) -> bytes:
    """Return an RGB picture as a JPEG file of high quality."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def annotate_error(image_size: ImageSize, error_type: str, message: str) -> Image.Image:
    """Return a gray tile of `image_size` that explains why an image is unreadable."""
    tile = Image.new("RGB", (image_size.width, image_size.height), TILE_COLOR)
    size = _text_size(tile)
    title_size = round(size * 1.15)
    icon = round(min(3.6 * size, 0.32 * tile.height, 0.5 * tile.width))
    space = tile.height - icon - 2 * size - line_height(title_size)
    room = tile.width - 2 * size
    title = clean(error_type).capitalize()
    if space < 0 or text_width(title, title_size) > room:
        _paste_broken_picture(tile, tile.height // 2, round(0.6 * min(tile.size)))
        return tile
    lines = [(title, title_size)]
    lines += [(line, size) for line in wrap(clean(message), size, room, space // line_height(size))]
    y = (tile.height - icon - size - sum(line_height(line_size) for _, line_size in lines)) / 2
    _paste_broken_picture(tile, round(y + icon / 2), icon)
    y += icon + size
    for line, line_size in lines:
        left = (tile.width - text_width(line, line_size)) / 2
        draw_text(tile, (left, y + line_height(line_size) / 2), line, line_size, TILE_TEXT_COLOR)
        y += line_height(line_size)
    return tile


class _Row(NamedTuple):
    """Hold one line of the bar: its left and right text, and their size in pixels."""

    left: str
    right: str
    size: int

    @property
    def height(self) -> int:
        return line_height(self.size)


def _text_size(picture: Image.Image) -> int:
    """Return the text size in pixels, in proportion to the picture, also for portraits and panoramas."""
    width, height = picture.size
    return max(_MIN_TEXT_SIZE, round(min(0.055 * (width * height) ** 0.5, 0.08 * width, 0.2 * height)))


def _rows(label: str, score: str, size: int, room: int) -> list[_Row]:
    """Return label and score in one row, up to 20% smaller to make them fit, or else in two rows."""
    for part in (1.0, 0.9, 0.8):
        tried = max(_MIN_TEXT_SIZE, round(size * part))
        if text_width(label, tried) + text_width(score, tried) + (tried if score else 0) <= room:
            return [_Row(label, score, tried)]
    return [_Row(label, "", tried), _Row(score, "", tried)]


def _darken(picture: Image.Image, top: int) -> None:
    box = (0, top, picture.width, picture.height)
    region = picture.crop(box)
    picture.paste(Image.blend(region, Image.new("RGB", region.size, BAR_COLOR), BAR_OPACITY), box)


def _draw_row(picture: Image.Image, row: _Row, margin: int, middle: float) -> None:
    right_width = text_width(row.right, row.size)
    room = picture.width - 2 * margin - (right_width + row.size if row.right else 0)
    draw_text(picture, (margin, middle), shorten(row.left, row.size, room), row.size, TEXT_COLOR)
    draw_text(picture, (picture.width - margin - right_width, middle), row.right, row.size, TEXT_COLOR)


def _paste_broken_picture(tile: Image.Image, middle: int, side: int) -> None:
    """Paste the icon of a crossed-out picture, drawn at four times its size and reduced for smooth edges."""
    if side < 4:
        return
    full, line = 4 * side, max(6, side // 4)
    icon = Image.new("RGB", (full, full), TILE_COLOR)
    draw = ImageDraw.Draw(icon)
    edge = full // 12
    draw.rounded_rectangle((edge, edge, full - edge, full - edge), full // 10, outline=TILE_ICON_COLOR, width=line)
    draw.circle((0.31 * full, 0.35 * full), 0.08 * full, fill=TILE_ICON_COLOR)
    hills = ((0.2, 0.79), (0.42, 0.52), (0.54, 0.65), (0.66, 0.45), (0.82, 0.79))
    draw.polygon([(x * full, y * full) for x, y in hills], fill=TILE_ICON_COLOR)
    draw.line((0, full, full, 0), fill=TILE_COLOR, width=4 * line)
    draw.line((0, full, full, 0), fill=TILE_ICON_COLOR, width=line)
    tile.paste(icon.reduce(4), ((tile.width - side) // 2, middle - side // 2))
