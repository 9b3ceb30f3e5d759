"""Obelisks and viaducts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, linear
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import norm2
from sparkcore.samples.staging import Shot, in_the_open
from sparkcore.samples.subjects.materials import masonry
from sparkcore.samples.surfaces import grass, stone, tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

GRANITES = ((0.74, 0.70, 0.63), (0.66, 0.52, 0.44), (0.80, 0.78, 0.74), (0.55, 0.53, 0.50))
BRICKS = ((0.66, 0.58, 0.47), (0.60, 0.42, 0.33), (0.62, 0.60, 0.56))
STEPS = ((2.8, 0.12), (2.2, 0.26), (1.5, 0.70))
SIGN = 0.17


@dataclass(frozen=True)
class Obelisk:
    """One obelisk: height, half sides at foot and neck; `signs` are carved into it, if any."""

    tall: float
    foot: float
    neck: float
    color: Floats
    signs: NDArray[np.bool_] | None
    smooth: bool
    lattice: Lattice

    def solid(self, points: Floats) -> Floats:
        """Be the shaft, its pointed top and the steps below."""
        side = np.maximum(np.abs(points[0]), np.abs(points[2]))
        width = self.foot + (self.neck - self.foot) * np.clip(points[1] / self.tall, 0, 1)
        tip = (side + (points[1] - self.tall) * 0.5 - self.neck) * 0.85
        best = np.minimum(
            np.maximum(side - width, points[1] - self.tall), np.maximum(tip, self.tall - 0.01 - points[1])
        )
        for wider, height in STEPS:
            best = np.minimum(best, np.maximum(side - self.foot * wider, np.abs(points[1]) - height))
        return best * np.float32(0.95)

    def carved(self, across: Floats, height: Floats) -> NDArray[np.bool_]:
        """Tell where a sign is cut into a face."""
        if self.signs is None:
            return np.zeros(across.shape, bool)
        row = np.clip((height / SIGN).astype(np.int16), 0, len(self.signs) - 1)
        column = np.clip(across / (self.foot * 0.36) + 2, 0, 3).astype(np.int8)
        inset = (np.abs(np.mod(height / SIGN, 1) - 0.5) < 0.33) & (np.abs(across) < self.foot * 0.6)
        return self.signs[row, column] & inset & (height > 1.0) & (height < self.tall)

    def paint(self, points: Floats) -> Material:
        """Color smooth stone or blocks."""
        across = np.where(np.abs(points[0]) > np.abs(points[2]), points[2], points[0])
        if self.smooth:
            tone = 0.8 + 0.35 * self.lattice.fractal(points, 3.0)
        else:
            tone = masonry(points, across, self.tall / 11, self.lattice)
        tone = tone * np.where(self.carved(across, points[1]), np.float32(0.72), np.float32(1.0))
        return Material(self.color[:, None] * tone, 0.2, 0.03)


def obelisk(rng: np.random.Generator, frame: Frame) -> Floats:
    """An obelisk on a square or a lawn."""
    tall, foot = float(rng.uniform(6.0, 9.0)), float(rng.uniform(0.38, 0.5))
    neck = foot * float(rng.uniform(0.62, 0.8))
    color = linear(tinted(rng, GRANITES[rng.integers(len(GRANITES))], 0.05))
    signs = rng.random((64, 4)) < 0.5 if rng.random() < 0.5 else None
    made = Obelisk(tall, foot, neck, color, signs, rng.random() < 0.4, Lattice.draw(rng))
    room = (foot * 3.3, tall + neck * 2.1, foot * 3.3)
    part = Part(made.solid, made.paint, tall + 1.5, np.zeros(3, np.float32), spin(rng.uniform(0, 6.28)), bounds=room)
    shot = Shot((0, tall * 0.52, 0), tall * 0.55, (0.8, 1.1), (-2, 8), blur=(0.0, 0.0))
    return render(in_the_open(rng, frame, [part], shot, stone if rng.random() < 0.5 else grass))


@dataclass(frozen=True)
class Viaduct:
    """A row of arches of width 1: height, half width of a pier, one or two tiers."""

    tall: float
    pier: float
    tiers: int
    color: Floats
    lattice: Lattice

    def opening(self, points: Floats, low: float, high: float) -> Floats:
        """Be the space below the arches between two heights."""
        radius = 0.5 - self.pier
        x, center = np.mod(points[0], 1.0) - 0.5, high - 0.22 - radius
        leg = np.maximum(np.abs(x) - radius, points[1] - center)
        arch = np.maximum(norm2(x, points[1] - center) - radius, center - points[1])
        return np.maximum(np.minimum(arch, leg), low - points[1])

    def solid(self, points: Floats) -> Floats:
        """Be the wall with its openings and the ledge along the top."""
        wall = np.maximum(np.abs(points[2]) - 0.22, points[1] - self.tall)
        middle = self.tall * 0.55
        if self.tiers == 2:
            hole = np.minimum(self.opening(points, -1.0, middle), self.opening(points, middle, self.tall))
        else:
            hole = self.opening(points, -1.0, self.tall)
        ledge = np.maximum(np.abs(points[2]) - 0.28, np.abs(points[1] - self.tall) - 0.045)
        return np.minimum(np.maximum(wall, -hole), ledge) * np.float32(0.95)

    def paint(self, points: Floats) -> Material:
        """Color the masonry."""
        tone = masonry(points, points[0] + points[2], 0.085, self.lattice)
        return Material(self.color[:, None] * tone, 0.1, 0.03)


def viaduct(rng: np.random.Generator, frame: Frame) -> Floats:
    """A stone bridge on many arches, seen along its side."""
    color = linear(tinted(rng, BRICKS[rng.integers(len(BRICKS))], 0.05))
    tall, pier = float(rng.uniform(1.3, 2.4)), float(rng.uniform(0.10, 0.17))
    made = Viaduct(tall, pier, int(rng.choice([1, 1, 2])), color, Lattice.draw(rng))
    part = Part(made.solid, made.paint, 3.0, np.zeros(3, np.float32), bounds=(12.0, tall + 0.1, 0.3))
    shot = Shot((0, tall * 0.6, 0), 1.9, (0.8, 1.2), (1, 14), (-58, 58), (35, 55), blur=(0.0, 0.0))
    return render(in_the_open(rng, frame, [part], shot, grass))
