"""More than 400 damaged and hostile image files, made by code and the same every time."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from sparkcore.imaging.formats import MAX_PIXELS
from tests.imaging import pictures
from tests.imaging.pictures import jpeg, png, png_chunks, save

Make = Callable[[], bytes]

# Names that break what splits lines, columns, paths or markup; each at most 255 bytes.
NAMES = (
    "line\nbreak.png", "tab\tand\rreturn.png", "bell\a escape\x1b[31m.png", "right\u202eto left.png", "\u200bzero.png",
    "-rf.png", "--store.png", "%2e%2e%2fup.png", "a:b.png", "file:x.png", "back\\slash.png", "quote'\".png",
    "<b>bold<img src=x onerror=alert(1)>.png", "[link](javascript:alert(1)).png", "=cmd|' C calc'!A0.png",
    "*?[a]{b,c}.png", "$(touch x)`touch y`.png", "trailing space .png", "café.png", "cafe\u0301.png",
    "\U0001f408\u200d\u2b1b.png", "\ufeffbom.png", "n" * 251 + ".png", "ж" * 125 + ".png", b"\xff\xfe not text.png",
)  # fmt: skip


def hostile_files() -> dict[str, Make]:
    """Return the file of each name; none takes more than a second to decode or to refuse."""
    return dict([*_cut(), *_flipped(), *_wrong_headers(), *_sizes(), *_by_format(), *_metadata()])


def heavy_files() -> dict[str, Make]:
    """Return files whose decoding takes up to the bounds on memory and time."""
    return dict(_heavy())


def write_hostile_folder(folder: Path, files: dict[str, Make]) -> int:
    """Write the files, and a good picture under each of the hostile names; return how many there are."""
    folder.mkdir(parents=True)
    for name, make in files.items():
        (folder / name).write_bytes(make())
    written = {
        folder / (name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name) for name in NAMES
    }
    for path in written:
        path.write_bytes(png())
    return len(files) + len(written)


def _cut() -> Iterator[tuple[str, Make]]:
    """Yield every format cut at many offsets."""
    for kind, content in pictures.every_format().items():
        for part in (0.01, 0.05, 0.2, 0.5, 0.9, 0.999):
            yield f"cut at {part} {kind}", lambda content=content, part=part: pictures.truncated(content, part)


def _flipped() -> Iterator[tuple[str, Make]]:
    """Yield every format with wrong bits, most of them in the header."""
    for kind, content in pictures.every_format().items():
        for number in range(6):
            yield f"flipped {number} {kind}", lambda content=content, seed=f"{kind}{number}": flipped(content, seed)


def flipped(content: bytes, seed: str) -> bytes:
    """Return a file with up to eight wrong bits."""
    chance, damaged = random.Random(seed), bytearray(content)
    for _ in range(chance.choice((1, 2, 8))):
        damaged[int(chance.random() ** 3 * len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _wrong_headers() -> Iterator[tuple[str, Make]]:
    """Yield the beginning of each format before the rest of others, before zeros and before noise."""
    heads = {kind: content[:32] for kind, content in pictures.every_format().items()}
    noise = random.Random(0).randbytes(3000)
    for kind, head in heads.items():
        for other, rest in {"png": png(), "zeros": bytes(3000), "noise": noise, "ones": b"\xff" * 3000}.items():
            yield f"header of {kind} before {other}", lambda head=head, rest=rest: head + rest[32:]


def _sizes() -> Iterator[tuple[str, Make]]:
    """Yield headers that ask for nothing, for everything, and for the most that is allowed."""
    side = int(MAX_PIXELS**0.5)
    for height, width in ((0, 0), (0, 5), (5, 0), (1, 65535), (65535, 1), (side, side), (65535, 65535)):
        said, box = f"{width} x {height}", struct.pack("<II", width, height)
        patches = {
            "png": (png(), 16, struct.pack(">II", width, height)),
            "gif": (save(pictures.photo(), "GIF"), 6, struct.pack("<HH", width, height)),
            "qoi": (save(pictures.photo(), "QOI"), 4, struct.pack(">II", width, height)),
            "bmp": (save(pictures.photo(), "BMP"), 18, box),
            "bmp upside down": (save(pictures.photo(), "BMP"), 18, struct.pack("<Ii", width, -height)),
            "webp": (save(pictures.photo(), "WEBP"), 26, struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)),
            "jp2": (save(pictures.photo(), "JPEG2000", no_jp2=True), 8, struct.pack(">II", width, height)),
            "ico": (save(pictures.photo(), "ICO", sizes=[(32, 32)]), 6, bytes([width & 255, height & 255])),
        }
        for kind, (content, at, patch) in patches.items():
            yield f"{said} {kind}", lambda c=content, at=at, patch=patch: c[:at] + patch + c[at + len(patch) :]
        yield f"{said} jpeg", lambda height=height, width=width: _jpeg_of(height, width)
        yield f"{said} ppm", lambda height=height, width=width: b"P6 %d %d 255\n" % (width, height) + bytes(50)
        yield f"{said} tiff", lambda height=height, width=width: tiff({256: width, 257: height})


def _jpeg_of(height: int, width: int) -> bytes:
    content = jpeg()
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height & 0xFFFF, width & 0xFFFF) + content[at + 4 :]


def tiff(changes: dict[int, int], following: int = 0, more: bytes = b"") -> bytes:
    """Return an uncompressed gray TIFF of 8 x 8 pixels with changed tags; `following` is the next page's offset."""
    tags = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: 8, 279: 64, **changes}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value & 0xFFFFFFFF) for tag, value in sorted(tags.items()))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", following)
    return head.ljust(200, b"\0") + bytes(range(64)) + more


def _by_format() -> Iterator[tuple[str, Make]]:
    """Yield what is special to single formats."""
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    data = (b"IDAT", zlib.compress(bytes(8 * 25)))
    yield from {
        "many empty chunks.png": lambda: png_chunks(header, *[(b"IDAT", b"")] * 50_000, data),
        "more pixels than promised.png": lambda: png_chunks(header, (b"IDAT", zlib.compress(bytes(50_000_000)))),
        "no pixels.png": lambda: png_chunks(header),
        "pixels before the palette.png": lambda: png_chunks(_header(color=3), data, (b"PLTE", b"abc")),
        "long palette.png": lambda: png_chunks(_header(color=3), (b"PLTE", bytes(3000)), data),
        "no palette.png": lambda: png_chunks(_header(color=3), data),
        "wrong depth.png": lambda: png_chunks(_header(depth=77), data),
        "wrong color.png": lambda: png_chunks(_header(color=5), data),
        "wrong interlacing.png": lambda: png_chunks(_header(interlaced=9), data),
        "endless chunk.png": lambda: png_chunks(header)[:33] + b"\xff\xff\xff\xffIDAT" + bytes(100),
        "billions of frames.png": lambda: png_chunks(header, (b"acTL", b"\xff" * 8), data),
        "frame outside.png": lambda: png_chunks(header, (b"acTL", b"\0\0\0\2\0\0\0\0"), (b"fcTL", b"\xff" * 26), data),
        "odd transparency.png": lambda: png_chunks(header, (b"tRNS", b"x"), data),
        "signature alone.png": lambda: png()[:8],
        "ten thousand frames.gif": lambda: _gif(b"\x21\xf9\x04\0\0\0\0\0" + _GIF_FRAME, 10_000),
        "endless comment.gif": lambda: _gif(b"\x21\xfe" + (b"\xff" + bytes(255)) * 20_000 + b"\0" + _GIF_FRAME, 1),
        "frame larger than the picture.gif": lambda: _gif(b"," + struct.pack("<HHHHB", 0, 0, 60000, 60000, 0), 1),
        "frame outside.gif": lambda: _gif(b"," + struct.pack("<HHHHB", 65535, 65535, 8, 8, 0) + b"\2\2D\1\0", 1),
        "code size.gif": lambda: _gif(_GIF_FRAME.replace(b"\2\2D\1\0", b"\xff\2D\1\0"), 1),
        "no frame.gif": lambda: _gif(b"", 1),
        "never ends.gif": lambda: _gif(_GIF_FRAME, 1)[:-1] + b"\x21\xff\x0bNETSCAPE2.0" * 1000,
        "page follows itself.tiff": lambda: tiff({}, following=8),
        "pages follow each other.tiff": lambda: tiff({}, following=300, more=_page(264 + 36, 8)),
        "nested pages.tiff": lambda: tiff({330: 8, 34665: 8, 34853: 8}),
        "far pixels.tiff": lambda: tiff({273: 0xFFFFFFF0}),
        "long pixels.tiff": lambda: tiff({279: 0xFFFFFFFF}),
        "no rows.tiff": lambda: tiff({278: 0}),
        "tiles of nothing.tiff": lambda: tiff({322: 0, 323: 0, 324: 200, 325: 64}),
        "huge tiles.tiff": lambda: tiff({322: 65535, 323: 65535, 324: 200, 325: 64}),
        "many channels.tiff": lambda: tiff({277: 65535}),
        "odd depth.tiff": lambda: tiff({258: 63}),
        "no tags.tiff": lambda: b"II*\0" + struct.pack("<IH", 8, 0) + bytes(8),
        "many tags.tiff": lambda: b"II*\0" + struct.pack("<IH", 8, 65535) + bytes(100),
        "huge array.tiff": lambda: _tiff_array(0xFFFFFFFF),
        "big.tiff": lambda: b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 2**63) + bytes(100),
        **{f"compression {kind}.tiff": lambda kind=kind: tiff({259: kind}) for kind in _COMPRESSIONS},
        **{f"colors {kind}.tiff": lambda kind=kind: tiff({262: kind}) for kind in (0, 3, 4, 5, 6, 8, 32844, 77)},
        "no quantization.jpg": lambda: jpeg().replace(b"\xff\xdb", b"\xff\xfe", 2),
        "no codes.jpg": lambda: jpeg().replace(b"\xff\xc4", b"\xff\xfe", 4),
        "arithmetic.jpg": lambda: jpeg().replace(b"\xff\xc0", b"\xff\xc9", 1),
        "lossless.jpg": lambda: jpeg().replace(b"\xff\xc0", b"\xff\xc3", 1),
        "fill bytes.jpg": lambda: jpeg()[:2] + b"\xff" * 100_000 + jpeg()[2:],
        "empty segments.jpg": lambda: jpeg()[:2] + b"\xff\xe5\0\2" * 100_000 + jpeg()[2:],
        "segments of no length.jpg": lambda: jpeg()[:2] + b"\xff\xe5\0\0" * 100_000 + jpeg()[2:],
        "scans.jpg": lambda: _scans(3000),
        "two pictures.jpg": lambda: jpeg() + jpeg(),
        "zip behind.jpg": lambda: jpeg() + b"PK\3\4" + bytes(1000),
        "many pictures.ico": lambda: b"\0\0\1\0\xff\xff" + b"\xff" * 5000,
        "picture in itself.ico": lambda: b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 9, 9, 0, 0, 1, 32, 999, 0),
        "comment.ppm": lambda: b"P6 #" + b"x" * 1_000_000,
        "long number.ppm": lambda: b"P6 " + b"9" * 5000 + b" 1 255\n",
        "no depth.ppm": lambda: b"P6 8 8 0\n" + bytes(200),
        "deep.ppm": lambda: b"P6 8 8 4294967295\n" + bytes(400),
        "letters.ppm": lambda: b"P3 2 2 255\n" + b"x " * 12,
        "long token.ppm": lambda: b"P3 2 2 255\n" + b"1" * 1_000_000,
        "run lengths.bmp": lambda: _run_lengths(2, bytes(2) * 100_000),
        "run lengths that jump.bmp": lambda: _run_lengths(200, b"\0\2\xff\xff" * 1000),
        "palette of billions.bmp": lambda: _bmp_field(46, 0xFFFFFFFF),
        "odd depth.bmp": lambda: _bmp_field(28, 77, "<H"),
        "odd compression.bmp": lambda: _bmp_field(30, 55),
        "pixels elsewhere.bmp": lambda: _bmp_field(10, 0xFFFFFFFF),
        "large box.avif": lambda: save(pictures.photo(), "AVIF").replace(b"meta", b"moov"),
        "boxes of no length.jp2": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100_000),
        "boxes in boxes.jp2": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\0jp2h" * 10_000,
        "chunk of no length.webp": lambda: b"RIFF\xff\xff\xff\xffWEBP" + b"VP8X\0\0\0\0" * 10_000,
        "runs.qoi": lambda: b"qoif" + struct.pack(">IIBB", 4, 4, 3, 0) + b"\xfd" * 100_000,
    }.items()  # fmt: skip


_COMPRESSIONS = (2, 3, 4, 5, 6, 7, 8, 32773, 34925, 50000, 99)
_GIF_FRAME = b",\0\0\0\0\x08\0\x08\0\0\2\2D\1\0"


def _gif(body: bytes, times: int) -> bytes:
    return b"GIF89a\x08\0\x08\0\x80\0\0\0\0\0\xff\xff\xff" + body * times + b";"


def _header(depth: int = 8, color: int = 2, interlaced: int = 0) -> bytes:
    return struct.pack(">IIBBBBB", 8, 8, depth, color, 0, 0, interlaced)


def _page(at: int, following: int) -> bytes:
    return bytes(at - 264) + struct.pack("<HHHIII", 1, 256, 4, 1, 8, following)


def _tiff_array(count: int) -> bytes:
    content = tiff({})
    at = content.index(struct.pack("<HH", 273, 4))
    return content[:at] + struct.pack("<HHII", 273, 4, count, 100) + content[at + 12 :]


def _scans(count: int) -> bytes:
    content = jpeg(progressive=True)
    return content[:-2] + content[content.rindex(b"\xff\xda") : -2] * count + content[-2:]


def _bmp_field(at: int, value: int, kind: str = "<I") -> bytes:
    content = save(pictures.photo().quantize(), "BMP")
    return content[:at] + struct.pack(kind, value) + content[at + struct.calcsize(kind) :]


def _run_lengths(side: int, body: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + header + bytes(1024) + body


def _metadata() -> Iterator[tuple[str, Make]]:
    """Yield absurd EXIF data, color profiles and texts."""
    exifs = {
        "garbage": b"Exif\0\0" + random.Random(1).randbytes(3000),
        "zeros": b"Exif\0\0" + bytes(60_000),
        "follows itself": b"Exif\0\0" + tiff({34665: 8}, following=8),
        "far": b"Exif\0\0II*\0\xff\xff\xff\xff",
        "billions of values": b"Exif\0\0" + _tiff_array(0xFFFFFFFF),
        **{f"orientation {value}": b"Exif\0\0" + tiff({274: value}) for value in (0, 9, 255, 65535)},
    }
    for name, exif in exifs.items():
        yield f"exif {name}.jpg", lambda exif=exif: jpeg(exif=exif)
        yield f"exif {name}.png", lambda exif=exif: png(exif=exif)
        yield f"exif {name}.webp", lambda exif=exif: save(pictures.photo(), "WEBP", exif=exif)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profiles = {"zeros": bytes(500_000), "cut": profile[:77], "noise": profile[:128] + random.Random(2).randbytes(9000)}
    for name, icc in profiles.items():
        yield f"profile {name}.jpg", lambda icc=icc: jpeg(icc_profile=icc)
        yield f"profile {name}.png", lambda icc=icc: png(icc_profile=icc)
        yield f"profile {name}.tiff", lambda icc=icc: save(pictures.photo(), "TIFF", icc_profile=icc)
    zeros = zlib.compress(bytes(80_000_000), 9)
    header, data = _header(), (b"IDAT", zlib.compress(bytes(200)))
    for chunk, head in ((b"zTXt", b"key\0\0"), (b"iCCP", b"name\0\0"), (b"iTXt", b"key\0\1\0\0\0")):
        name = f"inflates to 80 MB {chunk.decode()}.png"
        yield name, lambda c=chunk, head=head: png_chunks(header, (c, head + zeros), data)
    yield "thousands of texts.png", lambda: png_chunks(header, *[(b"tEXt", b"k\0" + b"v" * 900)] * 5000, data)
    yield "long comment.jpg", lambda: jpeg()[:2] + b"\xff\xfe\xff\xff" + bytes(65533) + jpeg()[2:]


def _heavy() -> Iterator[tuple[str, Make]]:
    """Yield the largest pictures that are allowed, and some above, in small files."""
    side = int(MAX_PIXELS**0.5)
    for mode in ("RGB", "RGBA", "L", "P", "1", "I;16"):
        yield f"largest {mode}.png", lambda mode=mode: png(Image.new(mode, (side, side)), compress_level=1)
    yield "too large.png", lambda: pictures.bomb(side + 1, side + 1)
    yield "largest.jpg", lambda: jpeg(Image.new("RGB", (side, side)), quality=1, subsampling=2)
    yield "largest progressive.jpg", lambda: jpeg(Image.new("RGB", (10_000, 10_000)), quality=1, progressive=True)
    yield "on its side.jpg", lambda: pictures.oriented_jpeg(6, Image.new("RGB", (8000, 8000)))
    yield "inks.jpg", lambda: jpeg(Image.new("CMYK", (9000, 9000)), quality=1)
    for kind, sides in (("JPEG2000", 6450), ("WEBP", 7070), ("AVIF", 7900), ("GIF", 12_000), ("QOI", 2820)):
        yield f"largest {kind}", lambda kind=kind, sides=sides: save(Image.new("RGB", (sides, sides)), kind)
    yield "largest gray.jp2", lambda: save(Image.new("L", (11_100, 11_100)), "JPEG2000")
    yield "largest RGBA.avif", lambda: save(Image.new("RGBA", (7900, 7900)), "AVIF")
    yield "largest RGBA.webp", lambda: save(Image.new("RGBA", (7070, 7070), (1, 2, 3, 99)), "WEBP")
    floats = np.zeros((9900, 9900), np.float32)
    yield "floats.tiff", lambda: save(Image.fromarray(floats), "TIFF", compression="tiff_adobe_deflate")
    yield "largest.tiff", lambda: save(Image.new("RGB", (side, side)), "TIFF", compression="tiff_lzw")
    yield "noise.qoi", lambda: save(_noise(2800), "QOI")
    yield "noise.jp2", lambda: save(_noise(4000), "JPEG2000")
    yield "noise 16 bits.ppm", lambda: b"P6 1990 1990 65535\n" + random.Random(3).randbytes(1990 * 1990 * 6)
    yield "a gigabyte of zeros.jpg", lambda: jpeg()[:2] + bytes(1_000_000_000)


def _noise(side: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8))
