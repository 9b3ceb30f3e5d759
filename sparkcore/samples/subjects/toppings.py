"""What lies on a pizza: sauce, cheese and pieces, drawn as colors and heights seen from above."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sparkcore.samples.light import linear
from sparkcore.samples.noise import Floats, fractal
from sparkcore.samples.solids import norm2, smoothstep
from sparkcore.samples.surfaces import Texture, ramp, tinted

SIZE = 512
SPAN = 2.1
REACH = 44
RECIPES = (
    (),
    (("salami", 11),),
    (("salami", 14),),
    (("salami", 9), ("olive", 8)),
    (("leaf", 5),),
    (("salami", 9), ("pepper", 7)),
)
CHEESE = ((0.80, 0.55, 0.22), (0.94, 0.80, 0.50), (0.97, 0.90, 0.70))
SAUCE = ((0.45, 0.10, 0.04), (0.72, 0.22, 0.08), (0.80, 0.36, 0.14))
PEPPERS = ((0.25, 0.50, 0.12), (0.25, 0.50, 0.12), (0.80, 0.20, 0.08))


class Piece(NamedTuple):
    """One piece: where it is (0..1), its linear color and its height."""

    cover: Floats
    color: Floats
    height: Floats


def salami(rng: np.random.Generator, x: Floats, y: Floats) -> Piece:
    """Draw a slice of sausage, its rim curled up."""
    radius, size = norm2(x, y), float(rng.uniform(30, 38))
    cover = smoothstep(size, size - 2, radius * (1 + 0.04 * np.sin(3 * np.arctan2(y, x))))
    rim = smoothstep(size * 0.75, size, radius)
    tone = (0.6 + 0.9 * fractal(rng, (x.shape[0], x.shape[1]), 6, 2)) * (1 - 0.35 * rim)
    return Piece(cover, linear(tinted(rng, (0.66, 0.18, 0.12), 0.05)) * tone[:, :, None], 0.5 + 0.25 * rim)


def olive(rng: np.random.Generator, x: Floats, y: Floats) -> Piece:
    """Draw a ring of black olive."""
    radius, size = norm2(x, y), float(rng.uniform(11, 14))
    cover = smoothstep(size, size - 1.5, radius) * smoothstep(size * 0.4 - 1, size * 0.4, radius)
    return Piece(cover, linear((0.10, 0.09, 0.08)) * np.ones((*x.shape, 1), np.float32), np.full(x.shape, 0.9))


def leaf(rng: np.random.Generator, x: Floats, y: Floats) -> Piece:
    """Draw a leaf of basil."""
    long, wide = float(rng.uniform(22, 38)), float(rng.uniform(10, 17))
    bow = wide * np.clip(1 - (x / long) ** 2, 0, 1)
    cover = smoothstep(1.0, 0.85, np.abs(y) / (bow + 0.1)) * (np.abs(x) < long)
    vein = 0.75 + 0.35 * smoothstep(1.5, 0.0, np.abs(y)) + 0.1 * np.sin((np.abs(y) + x) * 0.7)
    return Piece(cover, linear(tinted(rng, (0.18, 0.40, 0.12), 0.08)) * vein[:, :, None], np.full(x.shape, 0.8))


def pepper(rng: np.random.Generator, x: Floats, y: Floats) -> Piece:
    """Draw a bent strip of sweet pepper."""
    off = np.abs(norm2(x, y + 24) - 32)
    color = linear(tinted(rng, PEPPERS[rng.integers(len(PEPPERS))], 0.08))
    cover = smoothstep(6, 4.5, off) * (y > -8)
    return Piece(cover, color * (1.2 - 0.08 * off)[:, :, None], 0.7 + 0.3 * smoothstep(6, 0, off))


PIECES: dict[str, Callable[[np.random.Generator, Floats, Floats], Piece]] = {
    "salami": salami,
    "olive": olive,
    "leaf": leaf,
    "pepper": pepper,
}


def lay(rng: np.random.Generator, kind: str, color: Floats, height: Floats) -> None:
    """Lay one piece somewhere into the colors and the heights."""
    out, angle, turn = np.sqrt(rng.random()) * 0.40 * SIZE, rng.uniform(0, 6.28), float(rng.uniform(0, 6.28))
    row, column = round(SIZE / 2 + out * np.sin(angle)), round(SIZE / 2 + out * np.cos(angle))
    window = (slice(row - REACH, row + REACH), slice(column - REACH, column + REACH))
    along, across = np.mgrid[-REACH:REACH, -REACH:REACH].astype(np.float32)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    piece = PIECES[kind](rng, s * along + c * across, c * along - s * across)
    color[window] += (piece.color - color[window]) * piece.cover[:, :, None]
    height[window] += (piece.height - height[window]) * piece.cover


def melted_cheese(rng: np.random.Generator) -> Floats:
    """Draw the color of cheese, browned here and there."""
    shape = (SIZE, SIZE)
    pale = ramp(np.clip(fractal(rng, shape, 25, 4) * 1.3 - 0.15, 0, 1), CHEESE)
    brown = smoothstep(0.62, 0.75, fractal(rng, shape, 18, 3))[:, :, None]
    return pale * (1 - 0.55 * brown * np.array([0.5, 0.8, 1.0], np.float32))


def topping(rng: np.random.Generator) -> tuple[Texture, Texture]:
    """Draw all of it; gives colors and heights as decals."""
    shape = (SIZE, SIZE)
    melt = fractal(rng, shape, float(rng.uniform(40, 70)), 4, 0.5)
    cover = smoothstep(0.42, 0.52, melt + float(rng.uniform(-0.02, 0.12)))
    sauce, cheese = ramp(fractal(rng, shape, 30, 5), SAUCE), melted_cheese(rng)
    color = sauce + (cheese - sauce) * cover[:, :, None]
    height = 0.35 * cover + 0.35 * melt
    for kind, count in RECIPES[rng.integers(len(RECIPES))]:
        for _ in range(count + int(rng.integers(-2, 3))):
            lay(rng, kind, color, height)
    # Cheese ran over the pieces here and there.
    color += (cheese - color) * (0.8 * smoothstep(0.54, 0.66, fractal(rng, shape, 26, 4)))[:, :, None]
    return Texture.decal(color, SPAN), Texture.decal(height[:, :, None], SPAN)
