"""Monarch butterflies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import linear
from sparkcore.samples.noise import Floats, fractal
from sparkcore.samples.optics import blur
from sparkcore.samples.settings import foliage
from sparkcore.samples.solids import norm2, smoothstep
from sparkcore.samples.surfaces import tinted


@dataclass(frozen=True)
class Wing:
    """A wing in polar form: outline knots (angle in degrees, radius), veins' angles, and the cell's reach."""

    outline: tuple[tuple[float, float], ...]
    veins: tuple[float, ...]
    cell: float
    tip: bool


TIP_SPOTS = ((42, 0.74, 0.040), (46, 0.80, 0.035), (37, 0.72, 0.045), (49, 0.66, 0.03), (33, 0.78, 0.03))
PETALS = ((0.85, 0.45, 0.70), (0.95, 0.80, 0.20), (0.70, 0.45, 0.80), (0.93, 0.90, 0.88), (0.85, 0.25, 0.35))
BLACK = np.array([0.012, 0.010, 0.009], np.float32)
WHITE = np.array([0.82, 0.78, 0.70], np.float32)
FORE = Wing(
    (
        (-22, 0.02),
        (-12, 0.62),
        (0, 0.80),
        (12, 0.86),
        (24, 0.95),
        (36, 1.13),
        (45, 1.20),
        (51, 1.14),
        (56, 0.72),
        (61, 0.02),
    ),
    (-4, 6, 15, 24, 33, 41, 48),
    0.44,
    True,
)
HIND = Wing(
    ((-96, 0.02), (-88, 0.50), (-74, 0.70), (-58, 0.79), (-40, 0.80), (-22, 0.74), (-8, 0.62), (4, 0.40), (14, 0.02)),
    (-80, -66, -52, -38, -24, -10),
    0.40,
    False,
)


@dataclass(frozen=True)
class Chart:
    """Coordinates on a wing: angle in degrees, radius, the edge's radius there, and radius / edge."""

    angle: Floats
    radius: Floats
    edge: Floats
    part: Floats


def chart(wing: Wing, across: Floats, up: Floats) -> Chart:
    """Turn coordinates from the wing's root into those on the wing."""
    angle, radius = np.degrees(np.arctan2(up, across)), norm2(across, up)
    knots = np.array(wing.outline)
    edge = np.interp(angle, knots[:, 0], knots[:, 1]).astype(np.float32) * (1 + 0.012 * np.sin(angle * 0.9))
    return Chart(angle, radius, edge, radius / np.maximum(edge, 1e-3))


def black_parts(wing: Wing, at: Chart) -> Floats:
    """Tell where a wing is black: along veins, around the cell, at the margin and the tip."""
    vein = np.full(at.angle.shape, 9.0, np.float32)
    for line in wing.veins:
        off = np.abs(at.angle - line - 5.0 * (at.part - 0.7)) * at.radius * 0.0175
        vein = np.minimum(vein, off - 0.004 - 0.010 * at.part)
    vein = np.where(at.part > wing.cell, vein, np.float32(9.0))
    for line in (wing.veins[0], wing.veins[-1]):
        vein = np.minimum(vein, np.abs(at.angle - line) * at.radius * 0.0175 - 0.010)
    vein = np.minimum(vein, np.abs(at.part - wing.cell) * at.edge - 0.009)
    black = np.maximum(smoothstep(0.010, 0.0, vein), smoothstep(0.84, 0.89, at.part + 0.02 * np.sin(at.angle * 0.7)))
    if wing.tip:
        corner = smoothstep(0.70, 0.80, at.part + 0.012 * (at.angle - 40)) * smoothstep(24, 34, at.angle)
        black = np.maximum(np.maximum(black, corner), smoothstep(48, 52, at.angle))
    return black


def white_dots(wing: Wing, at: Chart) -> Floats:
    """Tell where the white dots are: two rows along the margin, and some at the tip."""
    white = np.zeros_like(at.part)
    for ring, phase, size in ((0.945, 0.0, 0.020), (0.895, 0.5, 0.016)):
        off = (np.mod(at.angle / 5.0 + phase, 1.0) - 0.5) * 5.0 * at.radius * 0.0175
        white = np.maximum(white, smoothstep(size, size * 0.6, norm2(off, (at.part - ring) * at.edge)))
    for line, ring, size in TIP_SPOTS if wing.tip else ():
        off = np.radians(at.angle - line) * at.radius * 0.84
        white = np.maximum(white, 0.9 * smoothstep(size, size * 0.6, norm2(off, (at.part - ring) * at.edge)))
    return white


def wing_colors(wing: Wing, at: Chart, base: Floats, ground: Floats) -> tuple[Floats, Floats]:
    """Color one wing; gives linear RGB (h, w, 3) and coverage (h, w)."""
    cover = smoothstep(1.01, 0.985, at.part) * (at.edge > 0.03)
    color = base * ((0.75 + 0.5 * ground) * (1.15 - 0.3 * at.part))[:, :, None]
    color = color + (BLACK - color) * black_parts(wing, at)[:, :, None]
    return color + (WHITE - color) * white_dots(wing, at)[:, :, None], cover


def wings(rng: np.random.Generator, across: Floats, up: Floats) -> list[tuple[Floats, Floats]]:
    """Draw four wings, the hind ones first, each folded up a little; gives colors and coverages."""
    texture = fractal(rng, (across.shape[0], across.shape[1]), 7, 3)
    base, tilt = linear(tinted(rng, (0.92, 0.46, 0.07), 0.04)), float(rng.uniform(-0.25, 0.25))
    folds = {1: float(rng.uniform(0.72, 1.0)), -1: float(rng.uniform(0.72, 1.0))}
    layers = []
    for wing, lift in ((HIND, -0.05), (FORE, 0.0)):
        for side, squeeze in folds.items():
            out = across * side / squeeze
            color, cover = wing_colors(
                wing, chart(wing, out - 0.02, up - 0.06 + lift - tilt * out * 0.4), base, texture
            )
            light = 1.05 + 0.35 * side * tilt + 0.25 * (1 - squeeze) * side - 0.18 * smoothstep(0.25, 0.0, out)
            layers.append((color * light[:, :, None], cover))
    return layers


def monarch(rng: np.random.Generator, frame: Frame) -> Floats:
    """A monarch butterfly with spread wings on a flower."""
    height, width = frame.working_height, frame.working_width
    size = min(height, width) * float(rng.uniform(0.34, 0.52))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    dx = (x - width * float(rng.uniform(0.42, 0.58))) / size
    dy = (height * float(rng.uniform(0.45, 0.6)) - y) / size
    turn = float(rng.uniform(-0.9, 0.9))
    c, s = float(np.cos(turn)), float(np.sin(turn))
    across, up = c * dx + s * dy, c * dy - s * dx
    off = (float(rng.normal(0, 0.15)), float(rng.uniform(0.1, 0.35)))
    picture = flower(rng, foliage(rng, height, width), (dx + off[0], dy + off[1]))
    layers = wings(rng, across, up)
    shadow = np.max([cover for _, cover in layers], axis=0)
    drop = int(size * 0.07)
    picture = picture * (1 - 0.45 * blur(np.roll(shadow, (drop, drop // 2), (0, 1)), size * 0.05)[:, :, None])
    for color, cover in layers:
        picture = picture + (color - picture) * cover[:, :, None]
    return body(picture, across, up)


def body(picture: Floats, across: Floats, up: Floats) -> Floats:
    """Draw the dark body with white dots, and the feelers."""
    for center, radii in ((0.10, (0.055, 0.15)), (-0.20, (0.045, 0.26)), (0.29, (0.05, 0.05))):
        away = np.sqrt((across / radii[0]) ** 2 + ((up - center) / radii[1]) ** 2)
        tone = 0.02 + 0.10 * np.clip(1 - away, 0, 1) ** 0.5
        part = smoothstep(1.05, 0.92, away)[:, :, None]
        picture = picture + (tone[:, :, None] * np.ones(3, np.float32) - picture) * part
    for side in (-1, 1):
        line = np.abs(across * side - 0.03 - 0.38 * (up - 0.3)) * 0.9
        feeler = smoothstep(0.010, 0.004, line) * (up > 0.3) * (up < 0.62)
        knob = smoothstep(0.022, 0.014, np.sqrt((across * side - 0.155) ** 2 + (up - 0.62) ** 2))
        picture = picture * (1 - np.maximum(feeler, knob) * 0.95)[:, :, None]
    return picture


def flower(rng: np.random.Generator, picture: Floats, at: tuple[Floats, Floats]) -> Floats:
    """Draw a composite flower: rays around a grainy disc."""
    x, y = at
    y = y / rng.uniform(0.6, 0.95)
    radius, angle = np.sqrt(x * x + y * y), np.arctan2(y, x)
    petals = int(rng.integers(12, 22))
    tone = linear(tinted(rng, PETALS[rng.integers(len(PETALS))], 0.05))
    for layer in range(2):
        spread = np.mod(angle / (2 * np.pi) * petals + 0.5 * layer + 0.3 * np.sin(angle * 3), 1.0) - 0.5
        reach = 0.72 - 0.10 * layer + 0.05 * np.sin(angle * 5)
        width = np.sqrt(np.clip(1 - ((radius - reach * 0.55) / (reach * 0.5)) ** 2, 0, 1)) * 0.55
        part = smoothstep(0.02, -0.05, np.abs(spread) - width) * (width > 0.02)
        light = (0.55 + 0.25 * layer + 0.5 * radius) * (1 - 0.5 * np.abs(spread) + 0.08 * np.sin(spread * 60))
        picture = picture + (tone * light[:, :, None] - picture) * part[:, :, None]
    grains = fractal(rng, (picture.shape[0], picture.shape[1]), 5, 2)
    disc = smoothstep(0.27, 0.25, radius)[:, :, None]
    middle = linear((0.62, 0.38, 0.10)) * (0.3 + 1.4 * grains * (1.1 - radius))[:, :, None]
    return picture + (middle - picture) * disc
