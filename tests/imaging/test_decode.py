from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.config import Fit
from sparkcore.imaging.decode import Decoded, ImageSize, decode, decode_plain
from sparkcore.imaging.transforms import resize, to_array
from tests.imaging import pictures

WHITE = (255, 255, 255)


def facts(decoded: Decoded) -> tuple[str, str, int, int, int]:
    return decoded.format, decoded.mode, decoded.height, decoded.width, decoded.channels


def difference(first: Image.Image, second: Image.Image) -> float:
    return float(np.abs(np.asarray(first, np.int16) - np.asarray(second, np.int16)).mean())


def test_every_format_is_recognized():
    expected = {
        "jpeg": ("JPEG", "RGB", 48, 64, 3),
        "progressive.jpeg": ("JPEG", "RGB", 48, 64, 3),
        "grey.jpeg": ("JPEG", "L", 48, 64, 1),
        "cmyk.jpeg": ("JPEG", "CMYK", 48, 64, 4),
        "png": ("PNG", "RGB", 48, 64, 3),
        "grey16.png": ("PNG", "I;16", 4, 256, 1),
        "palette.png": ("PNG", "P", 48, 64, 4),
        "alpha.png": ("PNG", "RGBA", 48, 64, 4),
        "apng": ("PNG", "RGB", 48, 64, 3),
        "gif": ("GIF", "P", 48, 64, 3),
        "webp": ("WEBP", "RGB", 48, 64, 3),
        "lossless.webp": ("WEBP", "RGB", 48, 64, 3),
        "avif": ("AVIF", "RGB", 48, 64, 3),
        "tiff": ("TIFF", "RGB", 48, 64, 3),
        "lzw.tiff": ("TIFF", "RGB", 48, 64, 3),
        "pages.tiff": ("TIFF", "RGB", 48, 64, 3),
        "bmp": ("BMP", "RGB", 48, 64, 3),
        "jp2": ("JPEG2000", "RGB", 48, 64, 3),
        "ico": ("ICO", "RGB", 24, 32, 3),
        "ppm": ("PPM", "RGB", 48, 64, 3),
        "qoi": ("QOI", "RGB", 48, 64, 3),
    }
    assert {name: facts(decode(content)) for name, content in pictures.every_format().items()} == expected


@pytest.mark.parametrize(
    "name", ["png", "apng", "lossless.webp", "tiff", "lzw.tiff", "pages.tiff", "bmp", "ppm", "qoi"]
)
def test_lossless_formats_give_the_pixels_of_the_first_frame(name: str):
    decoded = decode(pictures.every_format()[name])
    assert decoded.image.mode == "RGB"
    np.testing.assert_array_equal(to_array(decoded.image), np.asarray(pictures.photo()))


@pytest.mark.parametrize("name", ["jpeg", "progressive.jpeg", "webp", "avif", "jp2", "gif"])
def test_lossy_formats_come_near_the_first_frame(name: str):
    image = decode(pictures.every_format()[name]).image
    assert difference(image, pictures.photo()) < 8
    assert difference(image, pictures.photo(seed=1)) > 40


def test_mpo_from_a_camera_is_a_jpeg():
    content = pictures.save(pictures.photo(), "MPO", save_all=True, append_images=[pictures.photo(seed=1)], quality=95)
    decoded = decode(content)
    assert facts(decoded) == ("JPEG", "RGB", 48, 64, 3)
    assert difference(decoded.image, pictures.photo()) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(orientation: int):
    decoded = decode(pictures.oriented_jpeg(orientation))
    assert facts(decoded) == ("JPEG", "RGB", 48, 64, 3)
    assert difference(decoded.image, pictures.photo()) < 2
    assert decoded.image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_other_formats_are_turned_once(kind: str):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = pictures.photo().transpose(Image.Transpose.ROTATE_90)
    decoded = decode(pictures.save(stored, kind, exif=exif))
    assert (decoded.height, decoded.width) == (48, 64)
    assert difference(decoded.image, pictures.photo()) < 6


def test_damaged_metadata_does_not_spoil_the_pixels():
    content = bytearray(pictures.oriented_jpeg(6))
    start = content.index(b"Exif\0\0") + 6
    content[start : start + 8] = b"\xff" * 8
    assert facts(decode(bytes(content))) == ("JPEG", "RGB", 64, 48, 3)


@pytest.mark.parametrize("transform", [0, 2])
def test_cmyk_jpeg_is_ink_on_white(transform: int):
    inks = np.asarray(pictures.photo().resize((32, 32)).convert("RGBA")).copy()
    inks[..., 3] = np.linspace(0, 200, 32)
    decoded = decode(pictures.cmyk_jpeg(inks, transform))
    expected = (255 - inks[..., :3].astype(float)) * (255 - inks[..., 3:].astype(float)) / 255
    assert facts(decoded) == ("JPEG", "CMYK", 32, 32, 4)
    assert np.abs(to_array(decoded.image) - expected).max() < 8
    assert np.abs(to_array(decoded.image) - expected).mean() < 1.5


def test_four_channel_jpeg_without_adobe_marker_is_taken_as_inverted_too():
    inks = np.full((16, 16, 4), (0, 255, 255, 0), np.uint8)
    decoded = decode(pictures.without_adobe_marker(pictures.cmyk_jpeg(inks)))
    assert np.abs(to_array(decoded.image).astype(int) - (255, 0, 0)).max() < 4


def test_transparent_parts_are_white():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0], pixels[0, 1], pixels[1, 0] = (200, 0, 0, 255), (200, 0, 0, 0), (200, 0, 0, 51)
    decoded = decode(pictures.png(Image.fromarray(pixels)))
    assert to_array(decoded.image).tolist() == [[[200, 0, 0], [255] * 3], [[244, 204, 204], [255] * 3]]


def test_palette_transparency_by_index_and_by_bytes():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    by_index = decode(pictures.png(image, transparency=1))
    by_bytes = decode(pictures.png(image, transparency=bytes([255, 51, 0])))
    assert facts(by_index) == facts(by_bytes) == ("PNG", "P", 1, 3, 4)
    assert to_array(by_index.image).tolist() == [[[255, 0, 0], list(WHITE), [0, 0, 255]]]
    assert to_array(by_bytes.image).tolist() == [[[255, 0, 0], [204, 255, 204], list(WHITE)]]


@pytest.mark.parametrize(("depth", "samples"), [(1, 0b10000000), (2, 0b11_01_00_00), (4, 0x5F)])
def test_transparent_grey_of_few_bits(depth: int, samples: int):
    peak = 2**depth - 1
    first, second = samples >> (8 - depth), samples >> (8 - 2 * depth) & peak
    header = struct.pack(">IIBBBBB", 2, 1, depth, 0, 0, 0, 0)
    content = pictures.png_chunks(
        header, (b"tRNS", struct.pack(">H", second)), (b"IDAT", zlib.compress(bytes([0, samples])))
    )
    decoded = decode(content)
    assert decoded.channels == 2
    assert to_array(decoded.image)[0, :, 0].tolist() == [first * 255 // peak, 255]


def test_transparent_color_of_sixteen_bits():
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 0x1034, 0x5078, 0x90BC)
    key = (b"tRNS", struct.pack(">3H", 0x1234, 0x5678, 0x9ABC))
    decoded = decode(pictures.png_chunks(header, key, (b"IDAT", zlib.compress(row))))
    assert to_array(decoded.image).tolist() == [[list(WHITE), [0x10, 0x50, 0x90]]]


def test_plain_keeps_grey_and_transparency():
    alpha = pictures.every_format()["alpha.png"]
    assert decode_plain(pictures.every_format()["grey.jpeg"]).image.mode == "L"
    assert decode_plain(alpha).image.mode == "RGBA"
    assert decode_plain(pictures.jpeg()).image.mode == "RGB"


def test_target_reduces_large_jpegs_only_and_keeps_their_size():
    content = pictures.jpeg(pictures.photo(960, 1280))
    sides = {side: decode(content, target=ImageSize(side, side)) for side in (32, 60, 61, 120, 240, 241)}
    reduced = {side: decoded.image.size for side, decoded in sides.items()}
    assert reduced == {
        32: (160, 120),
        60: (160, 120),
        61: (320, 240),
        120: (320, 240),
        240: (640, 480),
        241: (1280, 960),
    }
    assert {facts(decoded) for decoded in sides.values()} == {("JPEG", "RGB", 960, 1280, 3)}
    assert decode(pictures.png(pictures.photo(960, 1280)), target=ImageSize(32, 32)).image.size == (1280, 960)


def test_target_respects_the_orientation():
    content = pictures.oriented_jpeg(6, pictures.photo(800, 400))
    decoded = decode(content, target=ImageSize(200, 100))
    assert (decoded.height, decoded.width, decoded.image.size) == (800, 400, (200, 400))
    assert decode(content, target=ImageSize(100, 200)).image.size == (400, 800)


@pytest.mark.parametrize(
    ("height", "width", "side", "reduced"),
    [(801, 802, 50, (201, 201)), (375, 500, 64, (250, 188)), (403, 401, 100, (401, 403)), (401, 403, 60, (202, 201))],
)
def test_target_bounds_the_shift_of_rounded_sides(height: int, width: int, side: int, reduced: tuple[int, int]):
    decoded = decode(pictures.jpeg(pictures.photo(height, width)), target=ImageSize(side, side))
    assert (decoded.image.size, decoded.height, decoded.width) == (reduced, height, width)


def test_target_respects_the_long_side():
    content = pictures.jpeg(pictures.photo(800, 400))
    sizes = [decode(content, target=ImageSize(20, 20), long_side=side).image.size for side in (100, 101, 401)]
    assert sizes == [(50, 100), (100, 200), (400, 800)]


def test_target_hardly_changes_the_pixels_of_photos(photos: Path):
    size = ImageSize(112, 112)
    differences = []
    for path in sorted(photos.iterdir()):
        content = path.read_bytes()
        reduced = decode(content, target=size)
        if reduced.image.size != (reduced.width, reduced.height):
            both = [resize(image, size, Fit("stretch"), "bicubic") for image in (reduced.image, decode(content).image)]
            differences.append(np.abs(np.subtract(*(to_array(image).astype(int) for image in both))))
    assert len(differences) >= 20
    assert np.mean(differences) < 0.5
    assert max(each.mean() for each in differences) < 2
    assert np.max(differences) <= 40  # single pixels on sharp edges


def test_threads_decode_alike():
    contents = list(pictures.every_format().values()) * 4
    with ThreadPoolExecutor(8) as pool:
        parallel = [to_array(decoded.image) for decoded in pool.map(decode, contents)]
    for content, pixels in zip(contents, parallel, strict=True):
        np.testing.assert_array_equal(pixels, to_array(decode(content).image))
