"""Abacuses: beads on rods in a wooden frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, linear, solid
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import box, moved, norm2
from sparkcore.samples.staging import Shot, on_table
from sparkcore.samples.subjects.materials import even, timber
from sparkcore.samples.surfaces import tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

PITCH, RADIUS, BEAD = 0.42, 0.19, 0.27
GAUDY = ((0.80, 0.15, 0.12), (0.95, 0.75, 0.10), (0.15, 0.40, 0.75), (0.15, 0.55, 0.25), (0.90, 0.45, 0.10))
DARK = ((0.35, 0.16, 0.08), (0.12, 0.10, 0.09), (0.75, 0.50, 0.25))
FRAMES = ((0.45, 0.25, 0.13), (0.72, 0.52, 0.31), (0.25, 0.14, 0.09))


@dataclass(frozen=True)
class Abacus:
    """One abacus: `low[rod]` of its `beads` beads lie at the bottom, the others at the top."""

    beads: int
    low: NDArray[np.int64]
    colors: Floats
    lattice: Lattice

    @property
    def half_height(self) -> float:
        """Half the length of the rods."""
        return (self.beads * BEAD + 1.1) / 2

    @property
    def half_width(self) -> float:
        """Half the width of the space in the frame."""
        return len(self.low) * PITCH / 2

    def rod_of(self, points: Floats) -> tuple[NDArray[np.int8], Floats]:
        """Give the nearest rod and the distance across to it."""
        rods = len(self.low)
        rod = np.clip(np.floor(points[0] / PITCH + rods / 2), 0, rods - 1)
        return rod.astype(np.int8), points[0] - (rod - np.float32(rods / 2 - 0.5)) * np.float32(PITCH)

    def bead_of(self, points: Floats, rod: NDArray[np.int8]) -> tuple[Floats, Floats]:
        """Give the height over the nearest bead's middle, and its number."""
        low = self.low[rod].astype(np.float32)
        height = points[1] + np.float32(self.half_height - 0.05)
        raised = np.float32(2 * self.half_height - self.beads * BEAD - 0.1)
        lower = np.minimum(np.clip(np.floor(height / BEAD), 0, self.beads - 1), low - 1)
        upper = np.maximum(np.clip(np.floor((height - raised) / BEAD), 0, self.beads - 1), low)
        to_lower = np.where(low > 0, height - (lower + 0.5) * BEAD, np.float32(9.0))
        to_upper = np.where(low < self.beads, height - raised - (upper + 0.5) * BEAD, np.float32(9.0))
        near_lower = np.abs(to_lower) < np.abs(to_upper)
        return np.where(near_lower, to_lower, to_upper), np.where(near_lower, lower, upper)

    def bead_solid(self, points: Floats) -> Floats:
        """Be the beads: flat double cones."""
        rod, across = self.rod_of(points)
        height, _ = self.bead_of(points, rod)
        return (norm2(norm2(across, points[2]) * 0.62, height * 0.9) - RADIUS * 0.62) * np.float32(0.9)

    def bead_paint(self, points: Floats) -> Material:
        """Color the beads by row or by rod."""
        rod, _ = self.rod_of(points)
        _, number = self.bead_of(points, rod)
        key = (number // 2).astype(np.int32) if self.beads == 10 else rod.astype(np.int32)
        albedo = self.colors[key % len(self.colors)].T
        return Material(albedo * (0.8 + 0.4 * self.lattice.at(points, 6.0)), 0.65, 0.045)

    def frame_solid(self, points: Floats) -> Floats:
        """Be the frame: two posts, two beams."""
        sides = np.abs(points)
        tall, wide = self.half_height, self.half_width
        post = box(moved(sides, (wide + 0.12, 0, 0)), (0.12, tall + 0.22, 0.2), 0.04)
        beam = box(moved(sides, (0, tall + 0.12, 0)), (wide + 0.2, 0.12, 0.2), 0.04)
        return np.minimum(post, beam)

    def rod_solid(self, points: Floats) -> Floats:
        """Be the rods."""
        _, across = self.rod_of(points)
        return np.maximum(norm2(across, points[2]) - 0.03, np.abs(points[1]) - self.half_height)


def draw_abacus(rng: np.random.Generator) -> Abacus:
    """Draw the number of rods and beads, their places and colors."""
    beads = int(rng.choice([7, 10]))
    low = rng.integers(0, beads + 1, int(rng.integers(6, 13)))
    dyes = GAUDY if rng.random() < 0.5 else (DARK[rng.integers(len(DARK))],)
    return Abacus(beads, low, np.stack([linear(tinted(rng, dye)) for dye in dyes]), Lattice.draw(rng))


def abacus(rng: np.random.Generator, frame: Frame) -> Floats:
    """An abacus that stands or lies on a table."""
    made = draw_abacus(rng)
    standing = rng.random() < 0.5
    pose = spin(rng.uniform(-0.5, 0.5)) if standing else spin(rng.uniform(-3, 3), np.pi / 2)
    center = np.array([0, made.half_height + 0.24 if standing else 0.2, 0], np.float32)
    wood = timber(rng, linear(tinted(rng, FRAMES[rng.integers(len(FRAMES))])), along=0)
    steel = even(solid((0.6, 0.58, 0.55), 1)[:, 0], 0.6, 0.3)
    size = (made.half_width + 0.35, made.half_height + 0.35, 0.25)
    reach = float(np.hypot(size[0], size[1]))
    solids = ((made.bead_solid, made.bead_paint), (made.frame_solid, wood), (made.rod_solid, steel))
    parts = [Part(distance, paint, reach, center, pose, bounds=size) for distance, paint in solids]
    shot = Shot((0, float(center[1]), 0), reach, (0.95, 1.3), (5, 25) if standing else (35, 80), (-40, 40))
    return render(on_table(rng, frame, parts, shot))
