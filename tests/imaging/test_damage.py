from __future__ import annotations

import pytest
from PIL import Image, UnidentifiedImageError

from sparkcore.imaging.damage import ends_early, explain
from tests.imaging import pictures

CHECKED = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "JPEG2000", "TIFF")


@pytest.mark.parametrize("kind", CHECKED)
def test_ends_early_recognizes_halves(kind: str):
    content = pictures.save(pictures.photo(), kind)
    assert ends_early(kind, content) is False
    assert ends_early(kind, content[: len(content) // 2]) is True
    assert ends_early(kind, content[:14]) is True


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), ("too_large", "The BMP image does not fit in memory: at most 1,000 MB are for one image.")),
        (
            OSError("image file is truncated"),
            ("truncated", "The file is incomplete: it ends after 9,270 bytes."),
        ),
        (OSError("decoder error -9"), ("corrupt", "The BMP file is damaged (decoder error -9).")),
        (ValueError("bad palette"), ("corrupt", "The BMP file is damaged (bad palette).")),
        (AssertionError(), ("corrupt", "The BMP file is damaged (AssertionError).")),
        (
            ValueError("conversion from X to RGB not supported"),
            ("unsupported", "This variant of BMP is not supported (conversion from X to RGB not supported)."),
        ),
        (
            Image.DecompressionBombError("Image size (300000000 pixels) exceeds limit"),
            ("too_large", "The image has 300,000,000 pixels, which exceeds the safety limit of 178,956,970."),
        ),
        (NameError("name 'x' is not defined"), ("internal", "NameError: name 'x' is not defined.")),
    ],
)
def test_exceptions_become_stable_types(error: Exception, expected: tuple[str, str]):
    explained = explain(error, "BMP", pictures.save(pictures.photo(), "BMP"))
    assert (explained.error_type, explained.message) == expected


def test_the_hidden_reason_is_found():
    content = pictures.save(pictures.photo(), "BMP")
    strange = content[:28] + b"\x07" + content[29:]
    explained = explain(UnidentifiedImageError("cannot identify"), "BMP", strange)
    assert explained.error_type == "unsupported"
    assert "pixel depth (7)" in explained.message
