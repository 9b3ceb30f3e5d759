"""Write rendered samples to a folder, one sub-folder a class, with a few awkward files among them."""

from __future__ import annotations

import io
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sparkcore.errors import ConfigError
from sparkcore.samples.catalog import CLASSES, find_class

AWKWARD = ("damaged", "grey", "rgba", "rotated", "cmyk", "webp")
IN_PROCESS_LIMIT = 4
ORIENTATION_TAG = 0x0112
ROTATED_90_CW = 6


@dataclass(frozen=True)
class Order:
    """One file to write; `entropy` and `number` alone decide what is in it."""

    path: Path
    class_name: str
    kind: str
    entropy: int
    number: int


def write_samples(folder: Path, count: int, seed: int) -> list[Path]:
    """Render `count` labelled pictures into `folder`/<class id>_<class name>/ and give their paths.

    The same seed writes the same files, whatever the number of processes. Raises ConfigError for a count below 1.
    """
    if count < 1:
        raise ConfigError.unexpected("count", "at least 1 sample", count)
    orders = plan(Path(folder), count, seed)
    for parent in sorted({order.path.parent for order in orders}):
        parent.mkdir(parents=True, exist_ok=True)
    workers = min(os.cpu_count() or 1, 8, count)
    if count <= IN_PROCESS_LIMIT or workers == 1:
        return [write_one(order) for order in orders]
    # Spawned, because a fork of a process with threads (Streamlit, TensorFlow, the JVM gateway) may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(write_one, orders, chunksize=max(1, min(8, count // (4 * workers)))))


def plan(folder: Path, count: int, seed: int) -> list[Order]:
    """Decide class, kind and name of every file: classes take turns, awkward kinds are spread evenly."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    kinds = awkward_places(count)
    turns: dict[str, int] = {}
    orders = []
    order_of_classes: Sequence[int] = []
    for number in range(count):
        if number % len(CLASSES) == 0:
            order_of_classes = rng.permutation(len(CLASSES)).tolist()
        chosen = CLASSES[order_of_classes[number % len(CLASSES)]]
        turns[chosen.name] = turns.get(chosen.name, 0) + 1
        kind = kinds.get(number, "plain")
        ending = {"rgba": "png", "webp": "webp"}.get(kind, "jpg")
        path = folder / chosen.folder_name / f"{chosen.name}-{turns[chosen.name]:04d}.{ending}"
        orders.append(Order(path, chosen.name, kind, seed, number))
    return orders


def awkward_places(count: int) -> dict[int, str]:
    """Choose which files are awkward: one of each kind, fewer where there are fewer than 12 files."""
    kinds = AWKWARD[: count // 2]
    return {int((place + 0.5) * count / len(kinds)): kind for place, kind in enumerate(kinds)}


def write_one(order: Order) -> Path:
    """Render and write one file."""
    rng = np.random.default_rng(np.random.SeedSequence([order.entropy, 1, order.number]))
    picture = find_class(order.class_name).picture(rng)
    order.path.write_bytes(encode(picture, order.kind, int(rng.integers(72, 96))))
    return order.path


def encode(picture: Image.Image, kind: str, quality: int) -> bytes:
    """Encode a picture as its kind demands."""
    buffer = io.BytesIO()
    if kind == "rgba":
        see_through(picture).save(buffer, "PNG")
    elif kind == "webp":
        picture.save(buffer, "WEBP", quality=quality)
    elif kind == "rotated":
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = ROTATED_90_CW
        # Stored turned back; a viewer that obeys the tag turns it upright again.
        picture.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=quality, exif=exif)
    else:
        mode = {"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB")
        picture.convert(mode).save(buffer, "JPEG", quality=quality)
    encoded = buffer.getvalue()
    return encoded[: len(encoded) * 2 // 5] if kind == "damaged" else encoded


def see_through(picture: Image.Image) -> Image.Image:
    """Add an alpha channel whose corners fade out a little."""
    height, width = picture.height, picture.width
    rows = np.linspace(-1, 1, height)[:, None]
    columns = np.linspace(-1, 1, width)[None, :]
    alpha = np.clip(2.6 - rows**4 - columns**4 - rows**2 * columns**2, 0.0, 1.0)
    layered = picture.convert("RGBA")
    layered.putalpha(Image.fromarray((alpha * 255).astype(np.uint8)))
    return layered
