"""School buses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix, solid
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import box, moved, norm2, smoothstep
from sparkcore.samples.staging import Shot, in_the_open
from sparkcore.samples.surfaces import asphalt, tinted
from sparkcore.samples.tracer import Part

AXLE, TIRE = 0.45, 0.45
RAILS = (1.35, 1.0, 0.62)
BLACK = (0.03, 0.03, 0.03)


def band(value: Floats, center: float, half: float, soft: float = 0.01) -> Floats:
    """Give 1 where a coordinate is within `half` of a center."""
    return smoothstep(half + soft, half - soft, np.abs(value - center))


@dataclass(frozen=True)
class Bus:
    """One bus, its length along x and its front at +x: half length, panes a side, with a hood or without."""

    half: float
    panes: int
    hooded: bool
    yellow: Floats
    lattice: Lattice

    @property
    def wheels(self) -> tuple[float, float]:
        """Where the axles are."""
        return (self.half * 0.62 + (0.5 if self.hooded else 0.2), -self.half * 0.58)

    def body(self, points: Floats) -> Floats:
        """Be the cabin, the hood, the bumpers and the arches over the wheels."""
        best = box(moved(points, (0, 1.45, 0)), (self.half, 1.05, 0.95), 0.22)
        ahead = 1.05 if self.hooded else 0.0
        if self.hooded:
            best = np.minimum(best, box(moved(points, (self.half + 0.45, 0.95, 0)), (0.62, 0.46, 0.80), 0.18))
        for at in self.wheels:
            arch = np.maximum(norm2(points[0] - at, points[1] - AXLE) - 0.52, 0.6 - np.abs(points[2]))
            best = np.maximum(best, -arch)
        # One bumper at each end: the middle between them is shifted by half a hood.
        out = np.abs(points[0] - ahead / 2) - self.half - ahead / 2 - 0.03
        bumper = box(np.stack([out, points[1] - 0.5, points[2]]), (0.08, 0.12, 0.95), 0.03)
        return np.minimum(best, bumper) * np.float32(0.95)

    def rails(self, points: Floats) -> Floats:
        """Tell where the rails along the sides are."""
        lines = np.max([band(points[1], height, 0.033) for height in RAILS], axis=0)
        return lines * (np.abs(points[2]) > 0.85)

    def relief(self, points: Floats) -> Floats:
        """Raise the rails."""
        return 0.03 * self.rails(points)

    def glass(self, points: Floats) -> tuple[Floats, Floats]:
        """Tell where the panes are, and the dark band around those of the sides."""
        x, y, z = points
        side = np.abs(z) > 0.85
        cell = np.abs(np.mod((x + self.half - 0.25) / ((2 * self.half - 0.5) / self.panes), 1.0) - 0.5)
        window = band(y, 1.78, 0.26) * smoothstep(0.44, 0.42, cell) * side * (np.abs(x) < self.half - 0.25)
        window = window * (1 - 0.8 * band(y, 1.78, 0.02))
        front = (x > self.half - 0.2) & ~side & (y > 1.2) & (np.abs(z) < 0.78) & (np.abs(z) > 0.03)
        back = (x < -self.half + 0.2) & ~side & (np.abs(z) < 0.7)
        panes = np.maximum(window, np.maximum(front * band(y, 1.85, 0.33), back * band(y, 1.85, 0.25)))
        return panes, band(y, 1.78, 0.30) * side * (np.abs(x) < self.half - 0.2)

    def fittings(self, points: Floats, albedo: Floats) -> Floats:
        """Add the sign, the signal lamps, the grille and the headlights."""
        _, y, z = points
        ends = (np.abs(points[0]) > self.half - 0.2) & (np.abs(z) < 0.85) & (y > 1.2)
        letters = self.lattice.at(points * np.array([[0], [20], [20]], np.float32)) > 0.5
        sign = band(y, 2.33, 0.05) * band(z, 0.0, 0.45) * ends * letters
        albedo = mix(albedo, BLACK, sign)
        lamp = smoothstep(0.09, 0.08, norm2(np.abs(z) - 0.68, y - 2.3)) * ends
        albedo = mix(albedo, (0.55, 0.02, 0.01), lamp)
        nose = points[0] > self.half + 0.8
        grille = nose * band(y, 0.95, 0.28) * (np.abs(z) < 0.5) * (np.mod(y * 9, 1) > 0.4)
        headlight = nose * smoothstep(0.14, 0.13, norm2(np.abs(z) - 0.64, y - 0.92))
        return mix(mix(albedo, BLACK, grille), (0.85, 0.85, 0.85), headlight)

    def paint(self, points: Floats) -> Material:
        """Paint yellow, with black rails and dark glass."""
        albedo = evenly(self.yellow, points) * (0.85 + 0.3 * self.lattice.fractal(points, 1.5))
        panes, frame = self.glass(points)
        albedo = mix(albedo, BLACK, np.clip(self.rails(points) + 0.75 * frame, 0, 1))
        bumper = (points[1] < 0.64) & (np.abs(points[0]) > self.half)
        albedo = mix(mix(albedo, (0.025, 0.03, 0.035), panes), BLACK, bumper.astype(np.float32))
        return Material(self.fittings(points, albedo), 0.45 + 0.45 * panes, 0.04 + 0.10 * panes)

    def tires(self, points: Floats) -> Floats:
        """Be the wheels."""
        width = np.abs(np.abs(points[2]) - 0.78) - 0.16
        around = np.min([norm2(points[0] - at, points[1] - AXLE) for at in self.wheels], axis=0)
        return np.maximum(around - TIRE, width)

    def tire_paint(self, points: Floats) -> Material:
        """Color rubber, rim and hub."""
        around = np.min([norm2(points[0] - at, points[1] - AXLE) for at in self.wheels], axis=0)
        albedo = mix(solid((0.10, 0.10, 0.10), points.shape[1]), (0.30, 0.30, 0.29), smoothstep(0.25, 0.24, around))
        return Material(mix(albedo, (0.05, 0.05, 0.05), smoothstep(0.10, 0.09, around)), 0.3, 0.04)


def school_bus(rng: np.random.Generator, frame: Frame) -> Floats:
    """A yellow school bus on a road or a yard."""
    half, panes = float(rng.uniform(2.9, 3.9)), int(rng.integers(8, 12))
    yellow = linear(tinted(rng, (0.97, 0.68, 0.06), 0.025))
    bus = Bus(half, panes, rng.random() < 0.7, yellow, Lattice.draw(rng))
    place, reach = np.zeros(3, np.float32), half + 1.3
    parts = [
        Part(bus.body, bus.paint, 3.0, place, relief=bus.relief, bounds=(reach, 2.55, 1.02)),
        Part(bus.tires, bus.tire_paint, 3.0, place, bounds=(reach, 0.95, 0.98)),
    ]
    turn = (20.0, 75.0) if rng.random() < 0.6 else (-70.0, -20.0)
    shot = Shot((0.3, 1.2, 0), reach * 0.82, (0.95, 1.25), (2, 14), turn, (28, 50), blur=(0.0, 0.0))
    return render(in_the_open(rng, frame, parts, shot, asphalt))
