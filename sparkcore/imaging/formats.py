"""Supported image formats, recognized by their first bytes, and their size limits."""

from __future__ import annotations

import re
from collections.abc import Callable

# Raster formats whose decoders are plain C or Python and start no other program, so hostile files are safe to open.
# Excluded on purpose: EPS (starts Ghostscript), WMF and PDF (drawing programs), and formats without a signature
# (TGA, PCX, ...), because any text file may pass for one.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "ICO", "PPM", "QOI")

# Twice Pillow's default, the number at which Pillow refuses too; checked in the header, before decoding.
MAX_PIXELS = 178_956_970
MAX_DECODING_BYTES = 1_000_000_000  # memory for one image
MAX_SCANS = 500  # of a JPEG: each goes through the whole picture, and an empty one takes 40 bytes of the file

# What decoders take for a pixel beside Pillow's own copy; that of JPEG 2000 for each channel.
_DECODER_BYTES = {"JPEG2000": 8, "WEBP": 20, "AVIF": 16}
_SEVERAL_SCANS_BYTES = 10
# Pillow's decoders in Python, by their names, and the pixels that take them 10 s.
_SLOW_DECODERS = {"qoi": 8_000_000, "ppm": 4_000_000, "ppm_plain": 6_000_000, "bmp_rle": 16_000_000}

_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)


def _is_bmp(head: bytes) -> bool:
    if not head.startswith(b"BM"):
        return False
    # Two letters are weak evidence ("BMW ..."), so one of two header fields must match as well.
    return head[6:10] == bytes(4) or int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES


def _is_avif(head: bytes) -> bool:
    # The major brand may be one that HEIC shares (mif1); then the compatible brands decide.
    brands = head[8 : int.from_bytes(head[:4], "big")]
    return head[4:8] == b"ftyp" and (b"avif" in brands or b"avis" in brands)


_KNOWN: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("JPEG", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("PNG", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    ("WEBP", lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP"),
    ("GIF", lambda head: head.startswith((b"GIF87a", b"GIF89a"))),
    ("BMP", _is_bmp),
    ("TIFF", lambda head: head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))),
    ("AVIF", _is_avif),
    ("JPEG2000", lambda head: head.startswith((b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"))),
    ("ICO", lambda head: head.startswith(b"\0\0\1\0") and head[4:6] != b"\0\0"),
    ("PPM", lambda head: re.match(rb"P[1-6fy][\s#]", head) is not None),
    ("QOI", lambda head: head.startswith(b"qoif")),
)

# Unsupported image formats, recognized so that the message can name them.
_UNSUPPORTED: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("HEIC", lambda head: head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf")),
    ("JPEG XL", lambda head: head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"))),
    ("Photoshop", lambda head: head.startswith(b"8BPS")),
    ("OpenEXR", lambda head: head.startswith(b"\x76\x2f\x31\x01")),
    ("DirectDraw", lambda head: head.startswith(b"DDS ")),
)


def _is_text(head: bytes) -> bool:
    # The cut at 512 bytes may split a character of up to four bytes.
    for end in range(len(head), max(0, len(head) - 4), -1):
        try:
            text = head[:end].decode()
        except UnicodeDecodeError:
            continue
        return all(character.isprintable() or character.isspace() for character in text)
    return False


_DOCUMENTS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("a PDF document", lambda head: head.startswith(b"%PDF")),
    ("a PostScript program", lambda head: head.startswith(b"%!PS")),
    ("an SVG drawing", lambda head: b"<svg" in head),
    ("a web page", lambda head: re.search(rb"<!doctype html|<html", head, re.IGNORECASE) is not None),
    ("a ZIP archive", lambda head: head.startswith(b"PK\x03\x04")),
    ("text", _is_text),
)


def sniff(content: bytes) -> str | None:
    """Return which of `FORMATS` the first bytes indicate, or None."""
    return _first(_KNOWN, content[:64])


def webp_pixels(content: bytes) -> int:
    """Return the pixels that a WebP's header promises, 0 where it is cut; opening the file takes memory for all."""
    head = content[:30].ljust(30, b"\0")
    if head[12:16] == b"VP8X":
        return (int.from_bytes(head[24:27], "little") + 1) * (int.from_bytes(head[27:30], "little") + 1)
    if head[12:16] == b"VP8L":
        sides = int.from_bytes(head[21:25], "little")
        return ((sides & 0x3FFF) + 1) * ((sides >> 14 & 0x3FFF) + 1)
    return (int.from_bytes(head[26:28], "little") & 0x3FFF) * (int.from_bytes(head[28:30], "little") & 0x3FFF)


def max_pixels(kind: str, decoder: str, channels: int, *, has_scans: bool) -> int:
    """Return the most pixels that a decoder reads within the bounds on memory and time; `has_scans`: several."""
    pixel_bytes = _DECODER_BYTES.get(kind, 1) * (channels if kind == "JPEG2000" else 1)
    if has_scans:
        pixel_bytes = _SEVERAL_SCANS_BYTES
    return min(MAX_PIXELS, MAX_DECODING_BYTES // pixel_bytes, _SLOW_DECODERS.get(decoder, MAX_PIXELS))


def name_unsupported(content: bytes) -> str | None:
    """Return the name of a known but unsupported image format, or None."""
    return _first(_UNSUPPORTED, content[:32])


def name_document(content: bytes) -> str | None:
    """Return the kind of file if it is not an image, such as "a PDF document", or None."""
    return _first(_DOCUMENTS, content[:512])


def _first(table: tuple[tuple[str, Callable[[bytes], bool]], ...], head: bytes) -> str | None:
    return next((name for name, matches in table if matches(head)), None)
