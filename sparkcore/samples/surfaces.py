"""Textures for grounds and walls: wood, cloth, stone, grass, sand and the like, drawn anew for each picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sparkcore.samples.light import Material, linear
from sparkcore.samples.noise import Floats, spectral

SIZE = 512
RAMP_SIZE = 1024


@dataclass(frozen=True)
class Texture:
    """A tileable linear RGB picture with its smaller versions, laid `span` units wide."""

    levels: tuple[Floats, ...]
    span: float
    gloss: float = 0.25
    reflectance: float = 0.04
    angle: float = 0.0

    @classmethod
    def build(cls, picture: Floats, span: float, rng: np.random.Generator, gloss: float = 0.25) -> Texture:
        """Make the smaller versions of a (512, 512, 3) picture."""
        levels = [np.ascontiguousarray(picture, np.float32)]
        while levels[-1].shape[0] > 8:
            last = levels[-1]
            levels.append(0.25 * (last[::2, ::2] + last[1::2, ::2] + last[::2, 1::2] + last[1::2, 1::2]))
        return cls(tuple(levels), span, gloss, angle=float(rng.uniform(-0.6, 0.6)))

    def at(self, u: Floats, v: Floats, footprint: Floats | float) -> Floats:
        """Give linear colors (channels, n) at plane coordinates, averaged over the footprint."""
        c, s = np.float32(np.cos(self.angle) / self.span), np.float32(np.sin(self.angle) / self.span)
        across, along = c * u - s * v, s * u + c * v
        if len(self.levels) == 1:
            return bilinear(self.levels[0], along, across).T
        pixels = np.asarray(footprint) * SIZE / self.span
        level = np.clip(np.rint(np.log2(np.maximum(pixels, 1.0))), 0, len(self.levels) - 1).astype(np.int8)
        level = np.broadcast_to(level, u.shape)
        result = np.empty((u.size, self.levels[0].shape[2]), np.float32)
        for number in range(int(level.min()), int(level.max()) + 1):
            chosen = np.flatnonzero(level == number)
            if chosen.size:
                result[chosen] = bilinear(self.levels[number], along[chosen], across[chosen])
        return result.T

    @classmethod
    def decal(cls, picture: Floats, span: float) -> Texture:
        """Make a picture that lies centered on the origin, `span` units wide and never turned."""
        size = picture.shape[0] // 2
        return cls((np.roll(np.ascontiguousarray(picture, np.float32), (size, size), (0, 1)),), span)

    def floor(self, points: Floats, footprint: Floats) -> Material:
        """Be the material of the plane y = 0."""
        return Material(self.at(points[0], points[2], footprint), self.gloss, self.reflectance)


def bilinear(picture: Floats, rows: Floats, columns: Floats) -> Floats:
    """Sample a tileable (h, w, channels) picture at coordinates in tiles; gives (n, channels)."""
    size = picture.shape[0]
    y, x = rows * size, columns * size
    i, j = np.floor(y), np.floor(x)
    fy, fx = (y - i)[:, None], (x - j)[:, None]
    i0, j0 = i.astype(np.int32) & (size - 1), j.astype(np.int32) & (size - 1)
    i1, j1 = (i0 + 1) & (size - 1), (j0 + 1) & (size - 1)
    flat = picture.reshape(-1, picture.shape[2])
    top = flat[i0 * size + j0] * (1 - fx) + flat[i0 * size + j1] * fx
    low = flat[i1 * size + j0] * (1 - fx) + flat[i1 * size + j1] * fx
    return top * (1 - fy) + low * fy


def ramp(field: Floats, colors: Sequence[Sequence[float]]) -> Floats:
    """Color a field of 0..1 by interpolating display colors; gives linear RGB (..., 3)."""
    stops = np.linspace(0.0, 1.0, len(colors))
    shades = np.stack([linear(color) for color in colors])
    fine = np.linspace(0.0, 1.0, RAMP_SIZE)
    ladder = np.stack([np.interp(fine, stops, shades[:, c]) for c in range(3)], axis=1).astype(np.float32)
    return ladder[np.clip(field * RAMP_SIZE, 0, RAMP_SIZE - 1).astype(np.int16)]


def tinted(rng: np.random.Generator, color: Sequence[float], spread: float = 0.06) -> tuple[float, float, float]:
    """Vary a display color a little."""
    moved = np.clip(np.asarray(color) * rng.normal(1.0, spread) + rng.normal(0.0, spread * 0.5, 3), 0.02, 0.98)
    return float(moved[0]), float(moved[1]), float(moved[2])


WOODS = (
    ((0.30, 0.18, 0.10), (0.55, 0.36, 0.21)),
    ((0.52, 0.36, 0.22), (0.76, 0.58, 0.38)),
    ((0.66, 0.51, 0.34), (0.87, 0.74, 0.56)),
    ((0.20, 0.12, 0.08), (0.38, 0.24, 0.15)),
    ((0.45, 0.42, 0.38), (0.68, 0.65, 0.60)),
)


def wood(rng: np.random.Generator, span: float = 3.0) -> Texture:
    """Draw planks of one wood."""
    dark, pale = WOODS[rng.integers(len(WOODS))]
    grainy = spectral(rng, SIZE, 1.1, (1.0, 14.0))
    rings = spectral(rng, SIZE, 1.9, (1.0, 7.0))
    field = 0.55 * grainy + 0.45 * (0.5 + 0.5 * np.sin(2 * np.pi * rings * rng.uniform(4, 9)))
    planks = int(rng.choice([4, 5, 6, 8]))
    rows = np.arange(SIZE) * planks // SIZE
    tones = rng.normal(0.0, 0.10, planks)[rows][:, None]
    seam = np.minimum((np.arange(SIZE) * planks) % SIZE, (-np.arange(SIZE) * planks) % SIZE)[:, None] / planks
    picture = ramp(np.clip(field + tones, 0, 1), (tinted(rng, dark), tinted(rng, pale)))
    picture *= np.clip(0.35 + seam / 2.2, 0.35, 1.0)[:, :, None].astype(np.float32)
    return Texture.build(picture, span, rng, float(rng.uniform(0.25, 0.6)))


def cloth(rng: np.random.Generator, span: float = 2.5) -> Texture:
    """Draw a plain, striped or checked cloth."""
    base = rng.choice([(0.92, 0.90, 0.86), (0.75, 0.2, 0.2), (0.25, 0.35, 0.6), (0.85, 0.78, 0.62), (0.4, 0.5, 0.4)])
    other = rng.choice([(0.95, 0.94, 0.92), (0.9, 0.85, 0.75), (0.3, 0.3, 0.35)])
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    weave = 0.5 + 0.25 * np.sin(rows * np.pi / 2) + 0.25 * np.sin(columns * np.pi / 2)
    count = int(rng.choice([0, 0, 4, 8, 16]))
    pattern = np.zeros((SIZE, SIZE), np.float32)
    if count:
        pattern = 0.5 * ((columns * count // SIZE) % 2) + 0.5 * ((rows * count // SIZE) % 2)
    picture = ramp(pattern, (tinted(rng, base), tinted(rng, other)))
    picture *= (0.8 + 0.2 * weave + 0.25 * (spectral(rng, SIZE, 1.3) - 0.5))[:, :, None]
    return Texture.build(picture, span, rng, 0.05)


def stone(rng: np.random.Generator, span: float = 3.0) -> Texture:
    """Draw marble, granite or concrete."""
    color = tinted(
        rng, [(0.62, 0.60, 0.57), (0.80, 0.78, 0.75), (0.35, 0.34, 0.34), (0.7, 0.64, 0.55)][rng.integers(4)]
    )
    field = 0.6 * spectral(rng, SIZE, 1.6) + 0.4 * spectral(rng, SIZE, 0.6)
    picture = ramp(field, (tuple(0.72 * c for c in color), tuple(min(1.0, 1.2 * c) for c in color)))
    if rng.random() < 0.4:
        vein = np.abs(spectral(rng, SIZE, 1.8) - 0.5)
        picture *= (1.0 - 0.5 * np.exp(-vein * 60))[:, :, None]
    return Texture.build(picture, span, rng, float(rng.uniform(0.2, 0.7)))


def plain(rng: np.random.Generator, span: float = 6.0) -> Texture:
    """Draw a plain painted or paper surface."""
    color = tinted(
        rng, [(0.93, 0.93, 0.92), (0.85, 0.82, 0.78), (0.55, 0.60, 0.66), (0.25, 0.25, 0.27)][rng.integers(4)]
    )
    field = spectral(rng, SIZE, 1.4)
    picture = ramp(field, (tuple(0.94 * c for c in color), tuple(min(1.0, 1.03 * c) for c in color)))
    return Texture.build(picture, span, rng, float(rng.uniform(0.1, 0.6)))


def grass(rng: np.random.Generator, span: float = 4.0) -> Texture:
    """Draw a lawn."""
    blades = spectral(rng, SIZE, 0.35, (1.0, 2.5))
    patches = spectral(rng, SIZE, 1.6)
    dry = rng.uniform(0.0, 0.35)
    field = np.clip(0.75 * blades + 0.35 * patches - 0.05, 0, 1)
    low, high = (0.10 + 0.2 * dry, 0.17 + 0.1 * dry, 0.05), (0.52 + 0.3 * dry, 0.68, 0.28 + 0.15 * dry)
    middle = (0.27 + 0.25 * dry, 0.42 + 0.1 * dry, 0.12)
    return Texture.build(ramp(field, (low, middle, tinted(rng, high))), span, rng, 0.1)


def sand(rng: np.random.Generator, span: float = 4.0) -> Texture:
    """Draw sand or bare earth."""
    color = tinted(rng, [(0.80, 0.70, 0.54), (0.86, 0.79, 0.66), (0.52, 0.40, 0.29)][rng.integers(3)])
    field = 0.5 * spectral(rng, SIZE, 1.2) + 0.5 * spectral(rng, SIZE, 0.3)
    picture = ramp(field, (tuple(0.65 * c for c in color), tuple(min(1.0, 1.2 * c) for c in color)))
    return Texture.build(picture, span, rng, 0.05)


def leafy(rng: np.random.Generator, span: float = 4.0) -> Texture:
    """Draw forest floor: dead leaves, moss and twigs."""
    field = np.clip(0.5 * spectral(rng, SIZE, 0.8) + 0.5 * spectral(rng, SIZE, 0.9, (1.0, 3.0)), 0, 1)
    greens = spectral(rng, SIZE, 1.4)[:, :, None]
    brown = ramp(field, ((0.10, 0.07, 0.04), (0.38, 0.26, 0.15), (0.68, 0.52, 0.34)))
    green = ramp(field, ((0.06, 0.10, 0.03), (0.27, 0.36, 0.12), (0.50, 0.58, 0.25)))
    part = np.clip((greens - rng.uniform(0.4, 0.75)) * 6, 0, 1)
    return Texture.build(brown * (1 - part) + green * part, span, rng, 0.1)


def asphalt(rng: np.random.Generator, span: float = 4.0) -> Texture:
    """Draw a road's surface."""
    field = 0.5 * spectral(rng, SIZE, 0.4) + 0.5 * spectral(rng, SIZE, 1.5)
    tone = float(rng.uniform(0.28, 0.5))
    return Texture.build(ramp(field, ((tone * 0.7,) * 3, (tone * 1.2,) * 3)), span, rng, 0.1)


TABLES: tuple[Callable[[np.random.Generator], Texture], ...] = (wood, wood, cloth, stone, plain)


def table(rng: np.random.Generator) -> Texture:
    """Draw something that things stand on indoors."""
    return TABLES[rng.integers(len(TABLES))](rng)
