from __future__ import annotations

import random
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.errors import ImageError
from sparkcore.imaging import formats
from sparkcore.imaging.decode import decode
from sparkcore.imaging.transforms import to_array
from sparkcore.schema import ERROR_TYPES
from tests.imaging import pictures


def error_of(content: bytes) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        decode(content)
    return caught.value.error_type, caught.value.message


def test_messages_are_for_people():
    half = pictures.jpeg()[:1234]
    assert error_of(b"") == ("empty", "The file is empty.")
    assert error_of(b"%PDF-1.7\n") == ("not_an_image", "The file is a PDF document, not an image.")
    assert error_of(b"\x00\x01\x02") == ("not_an_image", "No supported image format starts with the bytes 00 01 02.")
    assert error_of(half) == ("truncated", "The file is incomplete: it ends after 1,234 bytes.")
    assert error_of(pictures.bomb()) == (
        "too_large",
        "The image has 10,000,000,000 pixels, which exceeds the safety limit of 178,956,970.",
    )
    assert error_of(b"\0\0\0\x18ftypheic" + bytes(50)) == (
        "unsupported",
        "The HEIC format is not supported. Convert the file to JPEG or PNG.",
    )


def test_the_limit_does_not_depend_on_pillow(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert error_of(pictures.bomb(13378, 13377)) == (
        "too_large",
        "The image has 178,957,506 pixels, which exceeds the safety limit of 178,956,970.",
    )
    assert error_of(pictures.bomb(13377, 13377))[0] == "truncated"


@pytest.mark.parametrize(
    ("kind", "mode", "limit"),
    [("JPEG2000", "RGB", "41,666,666"), ("WEBP", "RGB", "50,000,000"), ("AVIF", "RGBA", "62,500,000")],
)
def test_formats_that_take_much_memory_have_lower_limits(
    kind: str, mode: str, limit: str, monkeypatch: pytest.MonkeyPatch
):
    content = pictures.save(Image.new(mode, (400, 300)), kind)
    decode(content)
    monkeypatch.setattr(formats, "MAX_DECODING_BYTES", 1_000_000)
    assert error_of(content)[1].startswith("The image has 120,000 pixels, which exceeds the safety limit of ")
    assert error_of(content)[1].endswith(f" for {kind}.")
    monkeypatch.undo()
    assert f"{formats.max_pixels(kind, '', len(mode), has_scans=False):,}" == limit


@pytest.mark.parametrize(
    ("decoder", "content"),
    [
        ("qoi", pictures.save(Image.new("RGB", (9, 8)), "QOI")),
        ("ppm_plain", b"P3 9 8 255\n" + b"0 " * 216),
        ("ppm", b"P6 9 8 100\n" + bytes(216)),
    ],
)
def test_slow_decoders_have_lower_limits(decoder: str, content: bytes, monkeypatch: pytest.MonkeyPatch):
    decode(content)
    monkeypatch.setitem(formats._SLOW_DECODERS, decoder, 71)
    assert "72 pixels, which exceeds the safety limit of 71 for" in error_of(content)[1]


def test_a_jpeg_of_too_many_scans_is_refused_before_it_is_decoded():
    content = pictures.jpeg(progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    scans = content.count(b"\xff\xda")
    assert decode(content[:-2] + last * (500 - scans) + content[-2:]).format == "JPEG"
    assert error_of(content[:-2] + last * (501 - scans) + content[-2:]) == (
        "too_slow",
        "The JPEG file has 501 scans, which exceeds the limit of 500.",
    )


def test_pixels_with_a_wrong_checksum_are_corrupt():
    content = bytearray(pictures.png())
    content[content.index(b"IDAT") + 40] ^= 1
    error_type, message = error_of(bytes(content))
    assert error_type == "corrupt"
    assert message.startswith("The PNG file is damaged (wrong checksum at byte ")


def test_an_image_without_pixels_is_corrupt():
    header = struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0)
    assert error_of(pictures.png_chunks(header, (b"IDAT", zlib.compress(b"")))) == (
        "corrupt",
        "The PNG file is damaged (its header is invalid).",
    )


def test_awkward_folder_has_the_expected_statuses(tmp_path: Path):
    expected = pictures.write_awkward_folder(tmp_path)

    def status(path: Path) -> str:
        try:
            decode(path.read_bytes())
        except ImageError as error:
            return error.error_type
        return "ok"

    assert {path.name: status(path) for path in tmp_path.iterdir()} == expected


@pytest.mark.parametrize("name", sorted(pictures.every_format()))
def test_cut_files_never_give_other_pixels(name: str):
    content = pictures.every_format()[name]
    whole = to_array(decode(content).image)
    types = set()
    lengths = {*range(1, 40), *range(40, len(content), len(content) // 60 + 1), *range(len(content) - 8, len(content))}
    for length in lengths:
        try:
            np.testing.assert_array_equal(to_array(decode(content[:length]).image), whole)
        except ImageError as error:
            types.add(error.error_type)
    assert types <= {"truncated", "not_an_image", "corrupt"}
    assert error_of(content[: len(content) // 5])[0] == "truncated"


@pytest.mark.parametrize("name", sorted(pictures.every_format()))
def test_flipped_bytes_end_as_image_or_image_error(name: str):
    content = pictures.every_format()[name]
    chance = random.Random(name)
    ends = set()
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 2, 8))):
            damaged[int(chance.random() ** 3 * len(content))] = chance.randrange(256)
        try:
            ends.add(decode(bytes(damaged)).image.mode)
        except ImageError as error:
            ends.add(error.error_type)
    assert ends <= {"RGB", *ERROR_TYPES} - {"internal"}


def test_no_warning_leaks():
    large = struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0)
    tiff = bytearray(pictures.save(pictures.photo(), "TIFF"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert error_of(pictures.png_chunks(large, (b"IDAT", zlib.compress(bytes(10)))))[0] == "truncated"
        for position in range(8, 200):
            try:
                decode(bytes(tiff[:position] + b"\xff" + tiff[position + 1 :]))
            except ImageError:
                continue
    assert caught == []
