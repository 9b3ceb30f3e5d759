"""Materials that several subjects share: plain, glazed, wooden, metal, walls of stone."""

from __future__ import annotations

import numpy as np

from sparkcore.samples.light import Material, evenly
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.solids import smoothstep
from sparkcore.samples.tracer import Painter
from sparkcore.samples.view import spin

GLAZES = (
    (0.93, 0.92, 0.89),
    (0.20, 0.32, 0.55),
    (0.55, 0.20, 0.14),
    (0.25, 0.38, 0.30),
    (0.16, 0.14, 0.14),
    (0.80, 0.70, 0.45),
    (0.55, 0.70, 0.75),
)


def any_turn(rng: np.random.Generator) -> Floats:
    """Draw a rotation."""
    return spin(rng.uniform(0, 6.28), rng.uniform(-1.6, 1.6), rng.uniform(0, 6.28))


def even(color: Floats, gloss: float = 0.4, reflectance: float = 0.04) -> Painter:
    """Make a surface of one linear color."""

    def paint(points: Floats) -> Material:
        return Material(evenly(color, points), gloss, reflectance)

    return paint


def ceramic(rng: np.random.Generator, color: Floats) -> Painter:
    """Make a glazed surface with slight stains."""
    lattice = Lattice.draw(rng)

    def paint(points: Floats) -> Material:
        return Material(color[:, None] * (0.88 + 0.24 * lattice.fractal(points, 2.5)), 0.85, 0.05)

    return paint


def timber(rng: np.random.Generator, color: Floats, along: int = 1) -> Painter:
    """Make a wooden surface whose grain runs along an axis."""
    lattice = Lattice.draw(rng)
    stretch = np.full((3, 1), 9.0, np.float32)
    stretch[along] = 0.8

    def paint(points: Floats) -> Material:
        grain = lattice.fractal(points * stretch, 1.6)
        return Material(color[:, None] * (0.45 + 1.1 * grain), 0.45, 0.04)

    return paint


def brushed(rng: np.random.Generator, color: Floats, metal: float) -> Painter:
    """Make polished (or, with little `metal`, lacquered) metal with fine wear."""
    lattice = Lattice.draw(rng)

    def paint(points: Floats) -> Material:
        return Material(color[:, None] * (0.8 + 0.4 * lattice.fractal(points, 6.0)), 0.75, 0.3, metal=metal)

    return paint


def masonry(points: Floats, around: Floats, course: float, lattice: Lattice) -> Floats:
    """Give the brightness of stone blocks with dark joints, for walls unrolled to (around, height)."""
    row = np.floor(points[1] / course)
    along = around / (course * 2.2) + 0.5 * np.mod(row, 2)
    joint = np.minimum(np.abs(np.mod(points[1] / course, 1.0) - 0.5), np.abs(np.mod(along, 1.0) - 0.5) * 2.2)
    block = 0.75 + 0.4 * lattice.at(np.stack([np.floor(along) * 1.7, row * 1.3, row * 0.7]))
    return block * (1 - 0.45 * smoothstep(0.44, 0.5, joint)) * (0.75 + 0.5 * lattice.fractal(points, 2.5))
