"""What is let in: the formats, told apart by their first bytes, and the size."""

from __future__ import annotations

import re
from collections.abc import Callable

# Raster formats whose decoders are plain C or Python and run nothing else, so that hostile files may be opened.
# Left out on purpose: EPS (starts Ghostscript), WMF and PDF (drawing programs), and the formats without a
# signature of their own (TGA, PCX, ...), for which any text file can pass.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "ICO", "PPM", "QOI")

# Twice Pillow's own default, the number at which it refuses too; checked against the header, before any pixel.
MAX_PIXELS = 178_956_970

_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)


def _is_bmp(head: bytes) -> bool:
    if not head.startswith(b"BM"):
        return False
    # Two letters are weak evidence ("BMW ..."), so one of two fields behind them has to agree.
    return head[6:10] == bytes(4) or int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES


def _is_avif(head: bytes) -> bool:
    # The main brand may be a general one (mif1) that HEIC has too; then one of the compatible brands decides.
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

# Images that are not read here, so that the message can name them.
_UNSUPPORTED: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("HEIC", lambda head: head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf")),
    ("JPEG XL", lambda head: head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"))),
    ("Photoshop", lambda head: head.startswith(b"8BPS")),
    ("OpenEXR", lambda head: head.startswith(b"\x76\x2f\x31\x01")),
    ("DirectDraw", lambda head: head.startswith(b"DDS ")),
)


def _is_text(head: bytes) -> bool:
    # The cut at 512 bytes may split a letter of up to four bytes.
    for end in range(len(head), max(0, len(head) - 4), -1):
        try:
            text = head[:end].decode()
        except UnicodeDecodeError:
            continue
        return all(letter.isprintable() or letter.isspace() for letter in text)
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
    """Return the one of `FORMATS` that `content` claims to be, or None."""
    return _first(_KNOWN, content[:64])


def name_unsupported(content: bytes) -> str | None:
    """Return the name of an image format that is known but not read here, or None."""
    return _first(_UNSUPPORTED, content[:32])


def name_document(content: bytes) -> str | None:
    """Return what `content` is where it is no image at all, such as "a PDF document", or None."""
    return _first(_DOCUMENTS, content[:512])


def _first(table: tuple[tuple[str, Callable[[bytes], bool]], ...], head: bytes) -> str | None:
    return next((name for name, matches in table if matches(head)), None)
