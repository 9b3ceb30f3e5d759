"""Decoding of image files to upright RGB pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import ExifTags, Image, ImageFile

from sparkcore.errors import ImageError
from sparkcore.imaging.color import count_channels, over_white, to_plain
from sparkcore.imaging.damage import check_png, count_scans, explain, too_large
from sparkcore.imaging.formats import (
    FORMATS,
    MAX_PIXELS,
    max_pixels,
    name_document,
    name_unsupported,
    sniff,
    webp_pixels,
)

__all__ = ["FORMATS", "MAX_PIXELS", "Decoded", "ImageSize", "LargeImageError", "decode", "decode_plain"]

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPPING = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
_PILLOW = r"PIL\."
_MAX_SHIFT = 0.2  # pixels


class ImageSize(NamedTuple):
    """Height and width in pixels."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """Hold a decoded image and the properties of its file.

    `image` is upright. `height` and `width` in pixels are those of the full upright picture, even if `image` is
    reduced. `mode` and `channels` (1 to 4) are those of the file, before conversion.
    """

    image: Image.Image
    format: str
    mode: str
    height: int
    width: int
    channels: int


class LargeImageError(Exception):
    """The image has more pixels than its caller wants to decode in this process."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Limit how far a JPEG may be reduced: fit for a resize to `target`, and at least `long_side` pixels long."""

    target: ImageSize
    long_side: int = 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a caller wants: a reduction, what is done to the upright picture, and how many pixels it decodes at most."""

    reduction: Reduction | None
    finish: Callable[[Image.Image], Image.Image]
    most_pixels: int | None = None


def decode(
    content: bytes, *, target: ImageSize | None = None, long_side: int = 0, most_pixels: int | None = None
) -> Decoded:
    """Decode an image file to upright 8-bit RGB, composited over white.

    Only the first frame or page is decoded. With `target`, a JPEG may be reduced by 2, 4 or 8, but never below twice
    the target in either direction, nor below `long_side` pixels. That is faster for large photos and barely visible
    after the resize to the target.

    Raises ImageError of type empty, not_an_image, truncated, corrupt, too_large, too_slow or unsupported, and
    LargeImageError where more than `most_pixels` would have to be decoded.
    """
    return _decode(content, _Wanted(Reduction(target, long_side) if target else None, over_white, most_pixels))


def decode_plain(content: bytes) -> Decoded:
    """Decode like `decode`, but keep grayscale and transparency: the mode is L, RGB or RGBA."""
    return _decode(content, _Wanted(None, lambda image: image))


def _decode(content: bytes, wanted: _Wanted) -> Decoded:
    kind = _identify(content)
    _silence_pillow()
    try:
        if kind == "WEBP":
            _check_webp(content, wanted)
        with Image.open(io.BytesIO(content), formats=(kind,)) as source:
            return _read(source, content, wanted)
    except (ImageError, LargeImageError):
        raise
    except Exception as error:
        raise explain(error, kind, content) from error


def _identify(content: bytes) -> str:
    if not content:
        raise ImageError("empty", "The file is empty.")
    kind = sniff(content)
    if kind is not None:
        return kind
    unsupported = name_unsupported(content)
    if unsupported is not None:
        raise ImageError("unsupported", f"The {unsupported} format is not supported. Convert the file to JPEG or PNG.")
    document = name_document(content)
    if document is not None:
        raise ImageError("not_an_image", f"The file is {document}, not an image.")
    raise ImageError("not_an_image", f"No supported image format starts with the bytes {content[:8].hex(' ')}.")


def _silence_pillow() -> None:
    """Ignore Pillow's warnings about odd files; whatever matters is raised as ImageError.

    The filter stays in place, because restoring the old ones, as `warnings.catch_warnings` does, is not thread-safe.
    """
    first = warnings.filters[0] if warnings.filters else None
    if first is None or first[0] != "ignore" or getattr(first[3], "pattern", None) != _PILLOW:
        warnings.filterwarnings("ignore", module=_PILLOW)


def _check_here(pixels: int, wanted: _Wanted) -> None:
    if wanted.most_pixels is not None and pixels > wanted.most_pixels:
        raise LargeImageError


def _check_webp(content: bytes, wanted: _Wanted) -> None:
    pixels, limit = webp_pixels(content), max_pixels("WEBP", "", 4, has_scans=False)
    if pixels > limit:
        raise too_large(pixels, limit, "WEBP")
    _check_here(pixels, wanted)


def _read(source: ImageFile.ImageFile, content: bytes, wanted: _Wanted) -> Decoded:
    kind = "JPEG" if source.format == "MPO" else source.format or ""
    is_progressive = "progressive" in source.info
    scans = count_scans(content, len(source.getbands()), is_progressive=is_progressive) if kind == "JPEG" else 1
    _check_pixels(source, kind, has_scans=scans > 1)
    if kind != "JPEG":
        _check_here(source.width * source.height, wanted)  # before Pillow decodes a PNG to find its orientation
    # Pillow applies the orientation of a TIFF itself.
    turn = None if kind == "TIFF" else _turn(source)
    if kind == "PNG":
        check_png(content)
        _fit_transparent_color(source, content[24])
    divisor, whole = 1, source.size
    if kind == "JPEG" and wanted.reduction is not None:
        divisor = _divisor(whole[::-1] if turn in _SWAPPING else whole, wanted.reduction)
    if divisor > 1:
        source.draft(None, (whole[0] // divisor, whole[1] // divisor))
    # Several scans are held whole, however small the picture becomes.
    _check_here(whole[0] * whole[1] if scans > 1 else source.width * source.height, wanted)
    source.load()
    mode, channels = source.mode, count_channels(source)
    image = to_plain(source)
    if turn is not None:
        image = image.transpose(turn)
        whole = whole[::-1] if turn in _SWAPPING else whole
    width, height = whole if divisor > 1 else image.size
    image = wanted.finish(image)
    # Drop the orientation, which has been applied, and color profiles, which take memory.
    image.info = {}
    return Decoded(image, kind, mode, height, width, channels)


def _check_pixels(source: ImageFile.ImageFile, kind: str, *, has_scans: bool) -> None:
    decoder = str(source.tile[0][0]) if source.tile else ""
    limit = max_pixels(kind, decoder, len(source.getbands()), has_scans=has_scans)
    if source.width * source.height > limit:
        raise too_large(source.width * source.height, limit, kind)


def _turn(source: ImageFile.ImageFile) -> Image.Transpose | None:
    try:
        return _TURNS.get(source.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - damaged metadata says nothing about the pixels
        return None


def _divisor(size: tuple[int, int], reduction: Reduction) -> int:
    """Return the factor by which a JPEG of this upright (width, height) may be reduced while decoding."""
    for divisor in (8, 4, 2):
        reduced = [-(-side // divisor) for side in size]
        targets = (reduction.target.width, reduction.target.height)
        large = all(side >= 2 * target for side, target in zip(reduced, targets, strict=True))
        if large and max(reduced) >= reduction.long_side and _shift(size, reduced, targets, divisor) <= _MAX_SHIFT:
            return divisor
    return 1


def _shift(size: tuple[int, int], reduced: list[int], targets: tuple[int, int], divisor: int) -> float:
    """Return the displacement of a reduced picture's far edge, in pixels of the target.

    The decoder rounds sides up, so the last row and column may cover only part of a pixel.
    """
    sides = zip(size, reduced, targets, strict=True)
    return max((small - side / divisor) * target / small for side, small, target in sides)


def _fit_transparent_color(source: ImageFile.ImageFile, depth: int) -> None:
    """Scale PNG's transparent color from the bit depth of the file to that of Pillow's pixels."""
    key = source.info.get("transparency")
    if source.mode == "L" and isinstance(key, int) and depth < 8:
        source.info["transparency"] = key * 255 // (2**depth - 1)
    elif source.mode == "RGB" and isinstance(key, tuple) and depth == 16:
        source.info["transparency"] = tuple(value >> 8 for value in key)
