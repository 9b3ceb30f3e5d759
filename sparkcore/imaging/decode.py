"""An image file's bytes to RGB pixels, or to the reason why not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import ExifTags, Image, ImageFile

from sparkcore.errors import ImageError
from sparkcore.imaging.color import count_channels, over_white, to_plain
from sparkcore.imaging.damage import check_png, explain, too_large
from sparkcore.imaging.formats import FORMATS, MAX_PIXELS, name_document, name_unsupported, sniff

__all__ = ["FORMATS", "MAX_PIXELS", "Decoded", "ImageSize", "decode", "decode_plain"]

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
    """Hold an image and what its file says about it.

    `image` is upright. `height` and `width` are those of the whole upright picture, also where `image` is a reduced
    one. `mode` and `channels` (1 to 4) are the file's own, before anything was converted.
    """

    image: Image.Image
    format: str
    mode: str
    height: int
    width: int
    channels: int


@dataclass(frozen=True, slots=True)
class Reduction:
    """Say what a reduced picture must still be good for: a resize to `target`, and `long_side` pixels at least."""

    target: ImageSize
    long_side: int = 0


def decode(content: bytes, *, target: ImageSize | None = None, long_side: int = 0) -> Decoded:
    """Decode the bytes of an image file to upright 8-bit RGB, transparent parts over white.

    Of several frames or pages the first one counts. With `target`, a JPEG may come reduced by 2, 4 or 8, never below
    twice the target in either direction, nor below `long_side`: faster for large photos, and hardly to be seen after
    the resize to the target.

    Raises ImageError with one of the types empty, not_an_image, truncated, corrupt, too_large, unsupported.
    """
    return _decode(content, Reduction(target, long_side) if target else None, over_white)


def decode_plain(content: bytes) -> Decoded:
    """Decode like `decode`, but keep grey (L) and transparency (RGBA): the image's mode is L, RGB or RGBA."""
    return _decode(content, None, lambda image: image)


def _decode(content: bytes, reduction: Reduction | None, finish: Callable[[Image.Image], Image.Image]) -> Decoded:
    kind = _identify(content)
    _silence_pillow()
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as source:
            return _read(source, content, reduction, finish)
    except ImageError:
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
        raise ImageError(
            "unsupported", f"Files of the format {unsupported} are not read here. Convert it to JPEG or PNG."
        )
    document = name_document(content)
    if document is not None:
        raise ImageError("not_an_image", f"The file is {document}, not an image.")
    raise ImageError("not_an_image", f"No known image format begins with the bytes {content[:8].hex(' ')}.")


def _silence_pillow() -> None:
    """Keep Pillow's warnings about odd files out of the log; what matters of them comes as ImageError.

    The filter stays: to put the old ones back, as `warnings.catch_warnings` does, is not safe in a pool of threads.
    """
    first = warnings.filters[0] if warnings.filters else None
    if first is None or first[0] != "ignore" or getattr(first[3], "pattern", None) != _PILLOW:
        warnings.filterwarnings("ignore", module=_PILLOW)


def _read(
    source: ImageFile.ImageFile,
    content: bytes,
    reduction: Reduction | None,
    finish: Callable[[Image.Image], Image.Image],
) -> Decoded:
    kind = "JPEG" if source.format == "MPO" else source.format or ""
    if source.width * source.height > MAX_PIXELS:
        raise too_large(source.width * source.height)
    # Pillow itself turns a TIFF while it loads it.
    turn = None if kind == "TIFF" else _turn(source)
    if kind == "PNG":
        check_png(content)
        _fit_transparent_color(source, content[24])
    divisor, whole = 1, source.size
    if kind == "JPEG" and reduction is not None:
        divisor = _divisor(whole[::-1] if turn in _SWAPPING else whole, reduction)
    if divisor > 1:
        source.draft(None, (whole[0] // divisor, whole[1] // divisor))
    source.load()
    mode, channels = source.mode, count_channels(source)
    image = to_plain(source)
    if turn is not None:
        image = image.transpose(turn)
        whole = whole[::-1] if turn in _SWAPPING else whole
    width, height = whole if divisor > 1 else image.size
    image = finish(image)
    # Nobody may turn the image again, and profiles need no memory.
    image.info = {}
    return Decoded(image, kind, mode, height, width, channels)


def _turn(source: ImageFile.ImageFile) -> Image.Transpose | None:
    try:
        return _TURNS.get(source.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - damaged metadata do not make the pixels bad
        return None


def _divisor(size: tuple[int, int], reduction: Reduction) -> int:
    """Return by how much a JPEG of this upright width and height may be reduced while it is decoded."""
    for divisor in (8, 4, 2):
        reduced = [-(-side // divisor) for side in size]
        targets = (reduction.target.width, reduction.target.height)
        large = all(side >= 2 * target for side, target in zip(reduced, targets, strict=True))
        if large and max(reduced) >= reduction.long_side and _shift(size, reduced, targets, divisor) <= _MAX_SHIFT:
            return divisor
    return 1


def _shift(size: tuple[int, int], reduced: list[int], targets: tuple[int, int], divisor: int) -> float:
    """Return by how many pixels of the target the far edge of a reduced picture is displaced.

    The decoder rounds sides up, so the last row and column may stand for less than a whole one.
    """
    sides = zip(size, reduced, targets, strict=True)
    return max((small - side / divisor) * target / small for side, small, target in sides)


def _fit_transparent_color(source: ImageFile.ImageFile, depth: int) -> None:
    """Bring a transparent color, which PNG gives in the file's own depth, to the depth of Pillow's pixels."""
    key = source.info.get("transparency")
    if source.mode == "L" and isinstance(key, int) and depth < 8:
        source.info["transparency"] = key * 255 // (2**depth - 1)
    elif source.mode == "RGB" and isinstance(key, tuple) and depth == 16:
        source.info["transparency"] = tuple(value >> 8 for value in key)
