from __future__ import annotations

import pytest
from PIL import Image

from sparkcore.imaging import formats
from sparkcore.imaging.formats import FORMATS, name_document, name_unsupported, sniff
from tests.imaging import pictures


def test_each_format_is_known_by_its_first_bytes():
    kinds = {sniff(content) for content in pictures.every_format().values()}
    assert kinds == set(FORMATS)


def test_general_brand_of_avif_and_heic():
    avif = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf"
    heic = b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf"
    assert (sniff(avif), sniff(heic), name_unsupported(heic)) == ("AVIF", None, "HEIC")


def test_pillow_reads_each_format():
    Image.init()
    assert set(FORMATS) <= set(Image.OPEN)


@pytest.mark.parametrize(
    "content", [b"", b"BM", b"BMW makes cars, not images", b"P1", b"GIF", b"RIFF....AVI ", b"\xff"]
)
def test_look_alikes_are_not_images(content: bytes):
    assert sniff(content) is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"%PDF-1.4", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "a PostScript program"),
        (b'<?xml version="1.0"?>\n<svg xmlns="">', "an SVG drawing"),
        (b"\n<!doctype HTML>", "a web page"),
        (b"PK\x03\x04\x14", "a ZIP archive"),
        ("Grüße, 写真".encode(), "text"),
        (("x" + "é" * 400).encode(), "text"),
        (b"\xff", None),
        (b"a\0b", None),
    ],
)
def test_documents_have_names(content: bytes, expected: str | None):
    assert name_document(content) == expected


def test_unsupported_images_have_names():
    assert name_unsupported(b"\0\0\0\x18ftypheic") == "HEIC"
    assert name_unsupported(b"8BPS\0\1") == "Photoshop"
    assert name_unsupported(b"Dear reader") is None


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0", "lossless": True}, {"exact": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_size_of_a_webp_is_known_before_it_is_opened(mode: str, options: dict[str, object]):
    content = pictures.save(Image.new(mode, (301, 47), 9), "WEBP", **options)
    assert formats.webp_pixels(content) == 301 * 47
    assert formats.webp_pixels(content[:20]) <= 1
