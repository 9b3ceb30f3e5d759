"""Umbrellas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, linear, mix, solid
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import capsule, norm2, smoothstep
from sparkcore.samples.staging import Shot, in_the_open, on_table
from sparkcore.samples.surfaces import grass, sand, stone, table, tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

DYES = (
    (0.82, 0.12, 0.12),
    (0.95, 0.75, 0.10),
    (0.12, 0.35, 0.70),
    (0.93, 0.92, 0.90),
    (0.15, 0.50, 0.30),
    (0.55, 0.20, 0.55),
    (0.10, 0.10, 0.12),
    (0.95, 0.50, 0.65),
)


@dataclass(frozen=True)
class Umbrella:
    """One umbrella of radius 1: number of ribs, depth of the canopy, colors of the panels."""

    ribs: int
    deep: float
    dyes: Floats
    lattice: Lattice

    def panel(self, points: Floats) -> tuple[Floats, Floats]:
        """Give the number of the panel, and how near its edge: 0 in the middle, 0.5 at a rib."""
        turn = np.arctan2(points[2], points[0]) * np.float32(self.ribs / (2 * np.pi))
        return np.floor(turn), np.abs(np.mod(turn, 1.0) - 0.5)

    def canopy(self, points: Floats) -> Floats:
        """Be the cloth: it sags between the ribs and is cut in arcs at the rim."""
        _, off = self.panel(points)
        around = norm2(points[0], points[2])
        height = 1.0 - self.deep * around**2 - 0.10 * (0.5 - off) * around
        rim = around - (1.0 - 0.16 * (0.5 - off))
        return np.maximum(np.abs(points[1] - height) * 0.62 - 0.008, rim) * np.float32(0.8)

    def cloth(self, points: Floats) -> Material:
        """Dye the panels in turn; light shines through them."""
        number, off = self.panel(points)
        albedo = self.dyes[np.mod(number.astype(np.int16), len(self.dyes))].T
        albedo = albedo * (0.85 + 0.3 * self.lattice.at(points, 3.0)) * (1 - 0.35 * smoothstep(0.485, 0.497, off))
        return Material(albedo, 0.35, 0.035, translucency=0.35)

    def stick(self, points: Floats) -> Floats:
        """Be the pole, the hooked handle and the stretchers."""
        pole = capsule(points, (0, -0.85, 0), (0, 1.12, 0), (0.022, 0.018))
        hook = norm2(norm2(points[0] - 0.11, np.minimum(points[1] + 0.85, 0)) - 0.11, points[2]) - 0.028
        _, off = self.panel(points)
        around = norm2(points[0], points[2])
        beside = np.maximum((0.5 - off) * around * 0.7 - 0.008, around - 0.55)
        stretcher = np.maximum(np.abs(points[1] - 0.35 - 0.36 * around) * 0.8 - 0.008, beside)
        return np.minimum(np.minimum(pole, np.maximum(hook, points[1] + 0.8)), stretcher) * np.float32(0.8)


def stick_paint(points: Floats) -> Material:
    """Color the handle of wood and the rest of steel."""
    handle = (points[1] < -0.7).astype(np.float32)
    return Material(mix(solid((0.6, 0.6, 0.6), points.shape[1]), linear((0.30, 0.17, 0.09)), handle), 0.6, 0.2)


def umbrella(rng: np.random.Generator, frame: Frame) -> Floats:
    """An open umbrella, stuck into the ground or lying on it."""
    picks = rng.choice(len(DYES), size=int(rng.choice([1, 2, 2, 4])), replace=False)
    dyes = np.stack([linear(tinted(rng, DYES[pick], 0.05)) for pick in picks])
    made = Umbrella(int(rng.choice([6, 8, 8, 10])), float(rng.uniform(0.42, 0.62)), dyes, Lattice.draw(rng))
    lying = rng.random() < 0.5
    # A lying one rests on its rim and the end of its handle.
    lean = 0.98 if lying else float(rng.uniform(-0.35, 0.35))
    pose = spin(rng.uniform(0, 6.28)) @ spin(0.0, lean)
    center, room = np.array([0, 0.78 if lying else 0.8, 0], np.float32), (1.02, 1.16, 1.02)
    parts = [
        Part(made.canopy, made.cloth, 1.3, center, pose, bounds=room),
        Part(made.stick, stick_paint, 1.3, center, pose, bounds=room),
    ]
    shot = Shot((0, 0.95, 0), 1.2, (0.8, 1.15), (3, 35))
    if lying and rng.random() < 0.5:
        return render(on_table(rng, frame, parts, shot, table))
    return render(in_the_open(rng, frame, parts, shot, (grass, sand, stone)[rng.integers(3)]))
