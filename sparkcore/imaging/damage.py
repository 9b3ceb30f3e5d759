"""Diagnosis of images that cannot be decoded: a stable error type and a message for people."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, UnidentifiedImageError

from sparkcore.errors import ImageError
from sparkcore.imaging.formats import MAX_DECODING_BYTES, MAX_PIXELS, MAX_SCANS

_UNSUPPORTED_HINTS = ("not supported", "unsupported", "unknown pixel mode", "not implemented", "unknown compression")
_TRUNCATED_HINTS = ("truncated", "unexpected end", "not enough", "reached eof", "requires a buffer")


def explain(error: Exception, kind: str, content: bytes) -> ImageError:
    """Convert an exception that Pillow raised for a file of format `kind` into an ImageError."""
    if isinstance(error, UnidentifiedImageError):
        error = _hidden_reason(kind, content) or error
    reason = str(error).strip().rstrip(".") or type(error).__name__
    reason = reason.replace("not identified by this driver", "its header is invalid")
    text = reason.lower()
    if isinstance(error, NameError | ImportError):
        return ImageError("internal", f"{type(error).__name__}: {reason}.")
    if isinstance(error, MemoryError | Image.DecompressionBombError) or "max_text" in text:
        return _over_limit(error, kind, reason)
    if any(hint in text for hint in _UNSUPPORTED_HINTS):
        return ImageError("unsupported", f"This variant of {kind} is not supported ({reason}).")
    if ends_early(kind, content) or any(hint in text for hint in _TRUNCATED_HINTS):
        return truncated(content)
    return ImageError("corrupt", f"The {kind} file is damaged ({reason}).")


def _over_limit(error: Exception, kind: str, reason: str) -> ImageError:
    if isinstance(error, MemoryError):
        return no_memory(kind)
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\d+", reason)
        return too_large(int(pixels[0]) if pixels else MAX_PIXELS + 1)
    return ImageError("too_large", f"The text metadata of the {kind} file exceeds the safety limit.")


def truncated(content: bytes) -> ImageError:
    """Return the error for an incomplete file."""
    return ImageError("truncated", f"The file is incomplete: it ends after {len(content):,} bytes.")


def too_large(pixels: int, limit: int = MAX_PIXELS, kind: str = "") -> ImageError:
    """Return the error for an image of more than `limit` pixels; name the format whose limit it is."""
    said = f"The image has {pixels:,} pixels, which exceeds the safety limit of {limit:,}"
    return ImageError("too_large", f"{said} for {kind}." if limit < MAX_PIXELS else f"{said}.")


def no_memory(kind: str = "") -> ImageError:
    """Return the error for an image that takes more memory than there is for one."""
    limit_mb = MAX_DECODING_BYTES // 10**6
    what = f"{kind} image" if kind else "image"
    return ImageError("too_large", f"The {what} does not fit in memory: at most {limit_mb:,} MB are for one image.")


def count_scans(content: bytes, channels: int, *, is_progressive: bool) -> int:
    """Return how many scans a JPEG has; raises ImageError for more than `MAX_SCANS`."""
    start = _first_scan(content)
    if start is None or (not is_progressive and content[start + 4 : start + 5] == bytes([channels])):
        return 1  # the usual kind, in which one scan has all channels
    scans = content.count(b"\xff\xda", start)
    if scans > MAX_SCANS:
        raise ImageError("too_slow", f"The JPEG file has {scans:,} scans, which exceeds the limit of {MAX_SCANS:,}.")
    return scans


def check_png(content: bytes) -> None:
    """Raise ImageError if a checksum of pixel data is wrong; Pillow does not verify them."""
    view = memoryview(content)
    position = 8
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        end = position + 8 + length
        name = content[position + 4 : position + 8]
        if name == b"IEND" or end + 4 > len(content):
            return
        if name == b"IDAT" and zlib.crc32(view[position + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            raise ImageError("corrupt", f"The PNG file is damaged (wrong checksum at byte {end:,}).")
        position = end + 4


def _hidden_reason(kind: str, content: bytes) -> Exception | None:
    """Return the exception of the format's own reader, which `Image.open` swallows."""
    factory, _ = Image.OPEN[kind]
    try:
        factory(io.BytesIO(content), "")
    except Exception as error:  # noqa: BLE001 - whatever it raises is the reason
        return error
    return None


def ends_early(kind: str, content: bytes) -> bool:
    """Tell from the structure of a damaged file whether its end is missing."""
    try:
        return _CHECKS[kind](content) if kind in _CHECKS else False
    except struct.error:
        return True


def _jpeg_ends_early(content: bytes) -> bool:
    start = _first_scan(content)
    return start is None or content.find(b"\xff\xd9", start) < 0


def _first_scan(content: bytes) -> int | None:
    """Return where the pixels of a JPEG begin; what its metadata holds, such as a small picture, comes before."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker, length = struct.unpack_from(">xBH", content, position)
        if marker == 0xDA:
            return position
        position += 1 if marker == 0xFF else 2 + max(length, 2)
    return None


def _png_ends_early(content: bytes) -> bool:
    if content.endswith(b"IEND\xae\x42\x60\x82"):
        return False
    position = 8
    while position + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        if not name.isalpha() or name == b"IEND":
            return False
        position += 12 + length
    return True


def _gif_ends_early(content: bytes) -> bool:
    return not content.rstrip(b"\0").endswith(b";")


def _webp_ends_early(content: bytes) -> bool:
    return len(content) < struct.unpack_from("<4xI", content)[0] + 8


def _avif_ends_early(content: bytes) -> bool:
    position = 0
    while position < len(content):
        (length,) = struct.unpack_from(">I", content, position)
        if length < 8:
            return False
        position += length
    return position > len(content)


def _bmp_ends_early(content: bytes) -> bool:
    return len(content) < struct.unpack_from("<2xI", content)[0]


def _jpeg2000_ends_early(content: bytes) -> bool:
    return not content.endswith(b"\xff\xd9")


def _tiff_ends_early(content: bytes) -> bool:
    return any(end > len(content) for end in _tiff_ends(content))


def _tiff_ends(content: bytes) -> Iterator[int]:
    """Yield the end offsets of the first page's directory and of its strips or tiles."""
    order = "<" if content.startswith(b"II") else ">"
    (offset,) = struct.unpack_from(order + "4xI", content)
    (count,) = struct.unpack_from(order + "H", content, offset)
    yield offset + 2 + 12 * count
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(count):
        tag, kind, number = struct.unpack_from(order + "HHI", content, offset + 2 + 12 * entry)
        letter = {3: "H", 4: "I"}.get(kind)
        if letter is None or number > len(content):
            continue
        at = offset + 10 + 12 * entry
        if struct.calcsize(letter) * number > 4:
            (at,) = struct.unpack_from(order + "I", content, at)
        tags[tag] = struct.unpack_from(f"{order}{number}{letter}", content, at)
    for starts, lengths in ((273, 279), (324, 325)):
        yield from (start + length for start, length in zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False))


_CHECKS = {
    "JPEG": _jpeg_ends_early,
    "PNG": _png_ends_early,
    "GIF": _gif_ends_early,
    "WEBP": _webp_ends_early,
    "AVIF": _avif_ends_early,
    "BMP": _bmp_ends_early,
    "JPEG2000": _jpeg2000_ends_early,
    "TIFF": _tiff_ends_early,
}
