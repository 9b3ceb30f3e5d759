from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from sparkcore.imaging import color
from sparkcore.imaging.color import count_channels, over_white, to_plain
from sparkcore.imaging.decode import decode
from tests.imaging import pictures


def greys(content: bytes) -> list[int]:
    pixels = np.asarray(decode(content).image)
    assert np.ptp(pixels, axis=2).max() == 0
    return pixels[0, :, 0].tolist()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str):
    assert greys(pictures.save(Image.fromarray(pictures.grey16()), kind)) == list(range(256))


def test_sixteen_bits_are_rounded():
    values = np.array([[0, 128, 129, 385, 386, 65406, 65407, 65535]], np.uint16)
    assert greys(pictures.png(Image.fromarray(values))) == [0, 0, 1, 1, 2, 254, 255, 255]


def test_big_endian_sixteen_bits():
    image = Image.frombytes("I;16B", (256, 4), pictures.grey16().astype(">u2").tobytes())
    decoded = decode(pictures.save(image, "TIFF"))
    assert decoded.mode == "I;16B"
    assert np.asarray(decoded.image)[0, :, 0].tolist() == list(range(256))


def test_twelve_bits():
    tags = ((256, 4), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 6))
    samples = bytes.fromhex("000 7ff 800 fff".replace(" ", ""))
    directory = b"".join(struct.pack("<HHIHxx", tag, 3, 1, value) for tag, value in tags)
    content = b"II*\0" + struct.pack("<I", 14) + samples + struct.pack("<H", len(tags)) + directory + bytes(4)
    assert decode(content).mode == "I;16"
    assert greys(content) == [0, 127, 128, 255]


def test_white_is_zero_in_sixteen_bits():
    content = pictures.save(Image.fromarray(pictures.grey16()), "TIFF", tiffinfo={262: 0})
    with Image.open(io.BytesIO(content)) as image:
        assert image.tag_v2[262] == 0
    assert greys(content) == list(range(255, -1, -1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 7, 255], [0, 7, 255]),
        ([0, 257, 65535], [0, 1, 255]),
        ([-100, 0, 100], [0, 128, 255]),
        ([0, 500_000, 1_000_000], [0, 128, 255]),
    ],
)
def test_32_bit_integers(values: list[int], expected: list[int]):
    content = pictures.save(Image.fromarray(np.array([values], np.int32)), "TIFF")
    assert decode(content).mode == "I"
    assert greys(content) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 17.0, 255.0], [0, 17, 255]),
        ([-2.0, 0.0, 2.0], [0, 128, 255]),
        ([280.0, 290.0, 300.0], [0, 128, 255]),
        ([0.0, float("nan"), 1.0], [0, 0, 255]),
        ([0.0, float("inf"), 1.0], [0, 255, 255]),
        ([float("nan")] * 3, [0, 0, 0]),
        ([300.0, 300.0, 300.0], [0, 0, 0]),
    ],
)
def test_floats(values: list[float], expected: list[int]):
    content = pictures.save(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert decode(content).mode == "F"
    assert greys(content) == expected


@pytest.mark.parametrize("mode", ["I", "F", "I;16", "I;16B"])
def test_blocks_give_the_pixels_of_the_whole(monkeypatch: pytest.MonkeyPatch, mode: str):
    kind = {"I": np.int32, "F": np.float32, "I;16": np.uint16, "I;16B": ">u2"}[mode]
    values = np.random.default_rng(0).integers(0, 60_000, (23, 17)).astype(kind)
    values[11, 3] = values[22, 16] = 7
    content = pictures.save(Image.frombytes(mode, (17, 23), values.tobytes()), "TIFF")
    assert decode(content).mode == mode
    whole = np.asarray(decode(content).image)
    for pixels in (1, 5, 17, 100):
        monkeypatch.setattr(color, "_BLOCK_PIXELS", pixels)
        np.testing.assert_array_equal(np.asarray(decode(content).image), whole)


def test_transparency_in_blocks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(color, "_BLOCK_PIXELS", 2)
    content = pictures.png(Image.fromarray(np.array([[0, 1000, 25700], [1000, 0, 1000]], np.uint16)), transparency=1000)
    assert np.asarray(decode(content).image)[:, :, 0].tolist() == [[0, 255, 100], [255, 0, 255]]


def test_large_floats_are_converted_in_little_memory():
    image = Image.new("F", (4000, 3000), 0.5)
    tracemalloc.start()
    try:
        to_plain(image)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * image.width * image.height  # less than one more copy of the picture


def lab_to_rgb(light: float, a: float, b: float) -> list[float]:
    """Convert by the definitions of CIELAB (white point D50) and sRGB, with Bradford-adapted primaries."""
    roots = ((light + 16) / 116 + a / 500, (light + 16) / 116, (light + 16) / 116 - b / 200)
    xyz = np.array([0.9642, 1.0, 0.8249]) * [r**3 if r > 6 / 29 else 3 * (6 / 29) ** 2 * (r - 4 / 29) for r in roots]
    primaries = np.array(
        [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    )
    linear = np.linalg.inv(primaries) @ xyz
    return [255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055) for v in linear]


def test_lab_becomes_rgb():
    lab = [(60, 20, -30), (40, -25, 20), (75, 30, 40), (100, 0, 0), (50, 0, 0)]
    stored = np.array([[(round(light * 2.55), a % 256, b % 256) for light, a, b in lab]], np.uint8)
    decoded = decode(pictures.save(Image.frombytes("LAB", (5, 1), stored.tobytes()), "TIFF"))
    expected = [lab_to_rgb(*color) for color in lab]
    assert (decoded.mode, decoded.channels) == ("LAB", 3)
    assert np.abs(np.asarray(decoded.image)[0] - expected).max() <= 2


def test_ycbcr_and_cmyk_tiff():
    image = pictures.photo()
    ycbcr = decode(pictures.save(image.convert("YCbCr"), "TIFF"))
    cmyk = decode(pictures.save(image.convert("CMYK"), "TIFF"))
    assert (ycbcr.mode, ycbcr.channels, cmyk.mode, cmyk.channels) == ("YCbCr", 3, "CMYK", 4)
    assert np.abs(np.asarray(ycbcr.image, np.int16) - np.asarray(image)).max() <= 3
    np.testing.assert_array_equal(np.asarray(cmyk.image), np.asarray(image))


def test_hsv_becomes_rgb():
    image = Image.frombytes("HSV", (3, 1), bytes([0, 255, 255, 85, 255, 255, 170, 255, 255]))
    assert np.asarray(to_plain(image)).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]


def test_one_bit():
    content = pictures.png(Image.frombytes("1", (8, 1), b"\x55"))
    assert decode(content).channels == 1
    assert greys(content) == [0, 255] * 4


def test_grey_with_alpha():
    content = pictures.png(Image.merge("LA", (Image.new("L", (1, 1), 100), Image.new("L", (1, 1), 51))))
    assert (decode(content).mode, decode(content).channels, greys(content)) == ("LA", 2, [224])


def test_palette_with_alpha():
    image = Image.new("PA", (2, 1))
    image.putpalette([255, 0, 0])
    image.putalpha(Image.frombytes("L", (2, 1), bytes([255, 0])))
    assert image.mode == "PA"
    assert count_channels(image) == 4
    assert np.asarray(over_white(to_plain(image))).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_premultiplied_alpha():
    straight = Image.new("RGBA", (1, 1), (200, 100, 0, 128))
    for mode in ("RGBa", "La"):
        source = straight if mode == "RGBa" else straight.convert("LA")
        plain = to_plain(source.convert(mode))
        assert plain.mode == "RGBA"
        assert np.abs(np.asarray(plain, np.int16) - np.asarray(source.convert("RGBA"), np.int16)).max() <= 1


def test_transparent_grey_of_sixteen_bits():
    image = Image.fromarray(np.array([[0, 1000, 25700]], np.uint16))
    content = pictures.png(image, transparency=1000)
    assert decode(content).channels == 2
    assert greys(content) == [0, 255, 100]


def test_plain_images_are_not_copied():
    rgb, grey = pictures.photo(), pictures.photo().convert("L")
    assert to_plain(rgb) is rgb
    assert to_plain(grey) is grey
    assert over_white(rgb) is rgb
