"""The camera after the lens: exposure, color cast, vignette, softness, grain and the final size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from sparkcore.samples.noise import Floats
from sparkcore.samples.optics import blur_rgb

SHORTEST_PX, LONGEST_PX = 300, 1200
WORKING_PX = 336
NOISE_PATCH = (251, 263)
ASPECTS = (1.0, 4 / 3, 4 / 3, 3 / 2, 3 / 2, 5 / 4, 3 / 4, 2 / 3)


@dataclass(frozen=True)
class Frame:
    """The size of the picture that is kept, and the smaller one it is rendered at."""

    height: int
    width: int
    working_height: int
    working_width: int


def choose_frame(rng: np.random.Generator, aspects: tuple[float, ...] = ASPECTS) -> Frame:
    """Draw a size; both sides are within 300..1,200 pixels."""
    aspect = float(rng.choice(aspects))
    longest = float(np.exp(rng.uniform(np.log(360), np.log(LONGEST_PX))))
    width, height = (longest, longest / aspect) if aspect >= 1 else (longest * aspect, longest)
    sides = [int(np.clip(round(side), SHORTEST_PX, LONGEST_PX)) for side in (height, width)]
    shrink = min(1.0, WORKING_PX / max(sides))
    return Frame(sides[0], sides[1], round(sides[0] * shrink), round(sides[1] * shrink))


def tone(picture: Floats) -> Floats:
    """Map linear light to display values 0..1 with a soft shoulder (Hable-like rational curve)."""
    light = np.maximum(picture, 0.0)
    curved = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    # Half the filmic curve, half plain gamma: the curve alone is too contrasty.
    plain = np.minimum(light, 1.0)
    mixed = np.clip(0.45 * curved + 0.55 * plain, 0.0, 1.0)
    return mixed ** np.float32(1 / 2.2)


def expose(picture: Floats, rng: np.random.Generator, key: float = 0.40) -> Floats:
    """Scale the light so that the middle of the picture is well exposed and little of it burns out."""
    height, width = picture.shape[:2]
    middle = picture[height // 6 : height - height // 6, width // 6 : width - width // 6].max(axis=2)
    bright = float(np.percentile(middle, 96))
    level = max(float(middle.mean()) / key, bright / (key * 2.4))
    return picture * np.float32(rng.uniform(0.85, 1.12) / max(level, 1e-3))


def vignette(picture: Floats, strength: float) -> Floats:
    """Darken the corners."""
    height, width = picture.shape[:2]
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    return picture * (1.0 - np.float32(strength) * 0.5 * (rows**2 + columns**2))[:, :, None]


def grain(display: Floats, rng: np.random.Generator, strength: float) -> Floats:
    """Add sensor noise to display values, stronger in the shadows, partly shared by the channels."""
    shared = rng.standard_normal((*display.shape[:2], 1), dtype=np.float32)
    colored = rng.standard_normal(NOISE_PATCH, dtype=np.float32)[:, :, None] * np.array([1, -0.5, 0.3], np.float32)
    tiles = tiled(colored, display.shape[0], display.shape[1])
    return display + np.float32(strength) * (0.8 * shared + 0.7 * tiles) * (1.15 - display)


def tiled(patch: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Repeat a patch; one of prime size does not show, and drawing noise for all pixels is slow."""
    rows, columns = -(-height // patch.shape[0]), -(-width // patch.shape[1])
    return np.tile(patch, (rows, columns, 1))[:height, :width]


def enlarge(picture: Image.Image, frame: Frame, rng: np.random.Generator, strength: float) -> Image.Image:
    """Bring a picture to its final size, with grain of one pixel, else it would look too smooth."""
    enlarged = picture.resize((frame.width, frame.height), Image.Resampling.BICUBIC)
    patch = 128 + 255 * strength * rng.standard_normal((*NOISE_PATCH, 1), dtype=np.float32)
    noise = tiled(np.clip(patch, 0, 255).astype(np.uint8), frame.height, frame.width)[:, :, 0]
    grey = Image.fromarray(np.ascontiguousarray(noise))
    return ImageChops.add(enlarged, Image.merge("RGB", (grey, grey, grey)), scale=1, offset=-128)


def develop(picture: Floats, frame: Frame, rng: np.random.Generator, key: float = 0.40) -> Image.Image:
    """Turn linear light into the final 8-bit RGB picture."""
    cast = np.array([rng.normal(1.0, 0.035), 1.0, rng.normal(1.0, 0.045)], np.float32)
    exposed = vignette(expose(picture, rng, key) * cast, float(rng.uniform(0.0, 0.3)))
    display = tone(blur_rgb(exposed, float(abs(rng.normal(0.0, 0.3)))))
    display = 0.5 + (display - 0.5) * np.float32(rng.uniform(0.97, 1.12))
    strength = float(rng.uniform(0.003, 0.018))
    pixels = np.clip(grain(display, rng, strength), 0.0, 1.0) * 255 + 0.5
    small = Image.fromarray(pixels.astype(np.uint8))
    if small.size == (frame.width, frame.height):
        return small
    return enlarge(small, frame, rng, 0.4 * strength + 0.004)
