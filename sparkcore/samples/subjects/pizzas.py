"""Pizzas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import norm2, smoothstep
from sparkcore.samples.staging import Shot, on_table
from sparkcore.samples.subjects.toppings import topping
from sparkcore.samples.surfaces import Texture, tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

BURNT = (0.30, 0.17, 0.08)


@dataclass(frozen=True)
class Pizza:
    """One pizza of radius 1: its crust, what lies on it, and the slice (start, angle) that is missing, if any."""

    crust: Floats
    colors: Texture
    heights: Texture
    start: float
    slice_angle: float
    lattice: Lattice

    def around(self, points: Floats) -> Floats:
        """Give the distance from the middle, 1 at the uneven rim."""
        angle = np.arctan2(points[2], points[0])
        return norm2(points[0], points[2]) / (1.0 + 0.02 * np.sin(3 * angle + self.start) + 0.015 * np.sin(7 * angle))

    def solid(self, points: Floats) -> Floats:
        """Be the base with its puffy rim."""
        around = self.around(points)
        base = np.maximum(np.abs(points[1]) - 0.035, around - 0.97)
        puffs = np.sin(9.1 * points[0] + self.start) * np.sin(8.3 * points[2])
        rim = norm2(around - 0.90, points[1] - 0.035) - (0.08 + 0.016 * puffs)
        whole = np.minimum(base, rim)
        if self.slice_angle:
            angle = np.mod(np.arctan2(points[2], points[0]) - self.start, np.float32(2 * np.pi))
            side = np.clip(np.minimum(angle, self.slice_angle - angle), 0, 1.5)
            cut = np.where(angle < self.slice_angle, np.sin(side) * around, np.float32(-0.2))
            whole = np.maximum(whole, cut)
        return whole * np.float32(0.85)

    def relief(self, points: Floats) -> Floats:
        """Raise what lies on it, and roughen the crust."""
        inside = smoothstep(0.9, 0.84, norm2(points[0], points[2])) * (points[1] > 0)
        return 0.05 * inside * self.heights.at(points[0], points[2], 0.0)[0] + 0.012 * self.lattice.at(points, 22.0)

    def paint(self, points: Floats) -> Material:
        """Color crust and topping."""
        rim = evenly(self.crust, points) * (0.75 + 0.5 * self.lattice.fractal(points, 9.0))
        rim = mix(rim, linear(BURNT), smoothstep(0.55, 0.78, self.lattice.fractal(points, 5.0)) * 0.8)
        ragged = self.around(points) + 0.05 * (self.lattice.at(points, 8.0) - 0.5)
        inside = smoothstep(0.885, 0.84, ragged) * (points[1] > 0)
        return Material(mix(rim, self.colors.at(points[0], points[2], 0.0), inside), 0.6, 0.045)


def pizza(rng: np.random.Generator, frame: Frame) -> Floats:
    """A pizza on a table, whole or with a slice missing."""
    crust = linear(tinted(rng, (0.80, 0.58, 0.32), 0.05))
    missing = float(rng.choice([0.5, 0.8, 1.05])) if rng.random() < 0.35 else 0.0
    made = Pizza(crust, *topping(rng), float(rng.uniform(0, 6.28)), missing, Lattice.draw(rng))
    center, pose = np.array([0, 0.04, 0], np.float32), spin(rng.uniform(0, 6.28))
    part = Part(made.solid, made.paint, 1.1, center, pose, relief=made.relief, bounds=(1.1, 0.16, 1.1))
    shot = Shot((0, 0.0, 0), float(rng.uniform(0.7, 1.0)), (0.9, 1.3), (25, 85), blur=(0.0, 0.06))
    return render(on_table(rng, frame, [part], shot))
