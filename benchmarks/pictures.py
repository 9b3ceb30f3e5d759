"""Sets of pictures for one measurement, made from given ones."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from PIL import Image

from benchmarks.variants import write_variants

SUFFIXES = {".jpg", ".jpeg", ".png"}
LARGE_SIDES = (4000, 3000)  # 12 megapixels
TINY_SIDE = 64


def listed(folder: Path) -> list[Path]:
    """Return the pictures of a folder, sorted."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def source_pictures(photos: Path | None, scratch: Path, count: int) -> list[Path]:
    """Return up to `count` pictures of the folder `photos`; without one, write variants of the samples to `scratch`."""
    return listed(photos)[:count] if photos is not None else write_variants(scratch, count)


def repeated(sources: list[Path], folder: Path, count: int) -> Path:
    """Fill `folder` with `count` copies of the sources in turn, each under a new name."""
    folder.mkdir(parents=True)
    for number, source in zip(range(count), itertools.cycle(sources), strict=False):
        shutil.copyfile(source, folder / f"{number:06d}_{source.name}")
    return folder


def enlarged(sources: list[Path], folder: Path, count: int) -> Path:
    """Fill `folder` with `count` JPEG pictures of 12 megapixels."""
    return _resized(sources, folder, count, LARGE_SIDES)


def shrunk(sources: list[Path], folder: Path, count: int) -> Path:
    """Fill `folder` with `count` JPEG pictures of 64 x 64 pixels."""
    return _resized(sources, folder, count, (TINY_SIDE, TINY_SIDE))


def _resized(sources: list[Path], folder: Path, count: int, sides: tuple[int, int]) -> Path:
    folder.mkdir(parents=True)
    kept: dict[Path, bytes] = {}
    for number, source in zip(range(count), itertools.cycle(sources), strict=False):
        path = folder / f"{number:06d}_{source.stem}.jpg"
        if source in kept:
            path.write_bytes(kept[source])
            continue
        with Image.open(source) as image:
            image.convert("RGB").resize(sides, Image.Resampling.BICUBIC).save(path, quality=90)
        kept[source] = path.read_bytes()
    return folder
