"""Intact and damaged image files of every kind, as bytes, for all tests."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sparkcore.errors import ImageError
from sparkcore.imaging.decode import decode
from sparkcore.samples import list_samples

Pixels = npt.NDArray[np.uint8]


def photo(height: int = 48, width: int = 64, seed: int = 0) -> Image.Image:
    """Return a smooth RGB picture with a different color in each corner, reproducible by `seed`."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    noise[0, 0], noise[0, -1], noise[-1, 0], noise[-1, -1] = (230, 30, 30), (30, 200, 40), (30, 40, 220), (240, 230, 60)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    """Return a JPEG file of high quality."""
    return save(image or photo(), "JPEG", **{"quality": 95, "subsampling": 0, **options})


def png(image: Image.Image | None = None, **options: Any) -> bytes:
    """Return a PNG file."""
    return save(image or photo(), "PNG", **options)


def oriented_jpeg(orientation: int, image: Image.Image | None = None) -> bytes:
    """Return a JPEG with this EXIF orientation that equals `image` once it is upright."""
    # The stored pixels are the upright ones under the inverse of the tag's transform.
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = image or photo()
    stored = upright.transpose(inverse[orientation]) if orientation in inverse else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(stored, exif=exif)


def grey16(height: int = 4, width: int = 256) -> npt.NDArray[np.uint16]:
    """Return a 16-bit ramp: column x holds x * 257 in every row."""
    return np.tile(np.arange(width, dtype=np.uint16) * 257, (height, 1))


def cmyk_jpeg(inks: Pixels, transform: int = 0) -> bytes:
    """Return a four-channel Adobe JPEG of `inks` (height, width, 4), 255 full ink: CMYK, or YCCK for `transform` 2."""
    if transform == 2:
        ycc = np.asarray(Image.fromarray(inks[..., :3]).convert("YCbCr"))
        inks = np.dstack([255 - ycc, inks[..., 3]])
    # Pillow writes CMYK inverted, with an Adobe marker, in which one byte distinguishes CMYK from YCCK.
    content = jpeg(Image.fromarray(inks, "CMYK"), quality=100)
    marker = content.index(b"Adobe")
    return content[: marker + 11] + bytes([transform]) + content[marker + 12 :]


def without_adobe_marker(content: bytes) -> bytes:
    """Return a JPEG without its Adobe marker segment."""
    start = content.index(b"Adobe") - 4
    return content[:start] + content[start + 2 + int.from_bytes(content[start + 2 : start + 4], "big") :]


def png_chunks(header: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG file assembled from its IHDR data and further chunks."""
    everything = ((b"IHDR", header), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in everything
    )


def bomb(height: int = 100_000, width: int = 100_000) -> bytes:
    """Return a small PNG file whose header asks for ten billion pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png_chunks(header, (b"IDAT", zlib.compress(bytes(100_000))))


def truncated(content: bytes, part: float = 0.5) -> bytes:
    """Return the first part of a file."""
    return content[: int(len(content) * part)]


def bad_crc_png() -> bytes:
    """Return a PNG with a wrong header checksum."""
    content = bytearray(png())
    content[29] ^= 0xFF
    return bytes(content)


def animated(kind: str) -> bytes:
    """Return three frames (GIF, PNG, WEBP or AVIF): `photo(seed=0)`, then two others."""
    frames = [photo(seed=seed) for seed in range(3)]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    return save(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **lossless)


def every_format() -> dict[str, bytes]:
    """Return `photo()` as one intact file in each supported format and its main variants."""
    image = photo()
    alpha = image.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(image.size))
    return {
        "jpeg": jpeg(image),
        "progressive.jpeg": jpeg(image, progressive=True),
        "grey.jpeg": jpeg(image.convert("L")),
        "cmyk.jpeg": cmyk_jpeg(255 - np.asarray(alpha)),
        "png": png(image),
        "grey16.png": png(Image.fromarray(grey16())),
        "palette.png": png(image.quantize(16), transparency=3),
        "alpha.png": png(alpha),
        "apng": animated("PNG"),
        "gif": animated("GIF"),
        "webp": save(image, "WEBP"),
        "lossless.webp": animated("WEBP"),
        "avif": save(image, "AVIF"),
        "tiff": save(image, "TIFF"),
        "lzw.tiff": save(image, "TIFF", compression="tiff_lzw"),
        "pages.tiff": save(image, "TIFF", save_all=True, append_images=[photo(seed=1)]),
        "bmp": save(image, "BMP"),
        "jp2": save(image, "JPEG2000"),
        "ico": save(image, "ICO", sizes=[(32, 32)]),
        "ppm": save(image, "PPM"),
        "qoi": save(image, "QOI"),
    }


_AWKWARD: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
    ("plain photo.jpg", "ok", jpeg),
    ("100% #1 'quoted'.png", "ok", png),
    ("[brackets] {braces} & more; $HOME.jpeg", "ok", lambda: jpeg(photo(seed=1))),
    ("späte Grüße 写真 صورة.webp", "ok", lambda: save(photo(seed=2), "WEBP")),
    ("cat 🐈‍⬛.gif", "ok", lambda: animated("GIF")),
    ("a+b=c,d@e!~^`.tif", "ok", lambda: save(photo(), "TIFF")),
    ("percent%20encoded%2Fslash.bmp", "ok", lambda: save(photo(), "BMP")),
    ("upside down.jpg", "ok", lambda: oriented_jpeg(3)),
    ("x-ray 16 bit.png", "ok", lambda: png(Image.fromarray(grey16()))),
    ("print CMYK.jpg", "ok", lambda: every_format()["cmyk.jpeg"]),
    ("no extension", "ok", lambda: png(photo(seed=4))),
    ("panorama 1 x 5000.png", "ok", lambda: png(photo(1, 5000))),
    ("wrong extension.png", "ok", lambda: jpeg(photo(seed=5))),
    ("new.avif", "ok", lambda: save(photo(), "AVIF")),
    ("empty.jpg", "empty", lambda: b""),
    ("letter.jpg", "not_an_image", lambda: b"Dear reader,\nthis is not a picture.\n"),
    ("drawing.svg", "not_an_image", lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
    ("page.html.jpg", "not_an_image", lambda: b"<!DOCTYPE html><title>404</title>"),
    ("half a photo.jpg", "truncated", lambda: truncated(jpeg())),
    ("half a photo.png", "truncated", lambda: truncated(png())),
    ("half a photo.gif", "truncated", lambda: truncated(save(photo(), "GIF"))),
    ("bad checksum.png", "corrupt", bad_crc_png),
    ("bomb.png", "too_large", bomb),
    ("phone.heic", "unsupported", lambda: b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(100)),
)


def write_awkward_folder(folder: Path) -> dict[str, str]:
    """Write one file of each awkward kind and name; return file name -> "ok" or its error type."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, _, make in _AWKWARD:
        (folder / name).write_bytes(make())
    return {name: status for name, status, _ in _AWKWARD}


def sample_photos(count: int) -> list[Image.Image]:
    """Return the first samples that can be read; one is incomplete, for demonstrations."""
    photos = []
    for path in list_samples():
        with suppress(ImageError):
            photos.append(decode(path.read_bytes()).image)
        if len(photos) == count:
            break
    return photos
