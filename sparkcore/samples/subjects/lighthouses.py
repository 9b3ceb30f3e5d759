"""Lighthouses (the class is called beacon)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.settings import sea_band
from sparkcore.samples.solids import box, cylinder, ellipsoid, moved, norm2, smoothstep
from sparkcore.samples.staging import Shot, horizon, in_the_open
from sparkcore.samples.subjects.materials import even
from sparkcore.samples.surfaces import grass, sand, tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

TRIMS = ((0.72, 0.14, 0.11), (0.72, 0.14, 0.11), (0.12, 0.14, 0.18))
STREAKS = np.array([[5.0], [0.7], [5.0]], np.float32)


@dataclass(frozen=True)
class Lighthouse:
    """One tower: height, radii at foot and neck, number of bands, windows as (height, angle), colors."""

    tall: float
    foot: float
    neck: float
    bands: int
    windows: tuple[tuple[float, float], ...]
    wall: Floats
    trim: Floats
    lattice: Lattice

    def tower(self, points: Floats) -> Floats:
        """Be the shaft with the gallery."""
        slope = self.foot + (self.neck - self.foot) * np.clip(points[1] / self.tall, 0, 1) ** 0.8
        shaft = np.maximum(norm2(points[0], points[2]) - slope, np.abs(points[1] - self.tall / 2) - self.tall / 2)
        deck = cylinder(moved(points, (0, self.tall, 0)), self.neck + 0.22, 0.06, 0.02)
        drum = cylinder(moved(points, (0, self.tall + 0.12, 0)), self.neck * 0.75, 0.14)
        return np.minimum(np.minimum(shaft, deck), drum) * np.float32(0.9)

    def tower_paint(self, points: Floats) -> Material:
        """Paint bands and windows, streaked by rain."""
        albedo = evenly(self.wall, points)
        if self.bands:
            stripe = np.mod(points[1] / self.tall * self.bands, 1.0)
            albedo = mix(albedo, self.trim, smoothstep(0.48, 0.5, stripe) * smoothstep(1.0, 0.98, stripe))
        angle = np.arctan2(points[2], points[0])
        for height, turn in self.windows:
            off = np.abs(np.mod(angle - turn + np.pi, 2 * np.pi) - np.pi) * self.foot
            pane = smoothstep(0.09, 0.08, off) * smoothstep(0.16, 0.15, np.abs(points[1] - height))
            albedo = mix(albedo, (0.03, 0.035, 0.04), pane)
        return Material(albedo * (0.78 + 0.4 * self.lattice.fractal(points * STREAKS, 1.5)), 0.2, 0.03)

    def lantern(self, points: Floats) -> Floats:
        """Be the cage, the lamp in it and the rail."""
        up = moved(points, (0, self.tall + 0.55, 0))
        around = norm2(up[0], up[2])
        posts = np.abs(np.mod(np.arctan2(up[2], up[0]) / (2 * np.pi) * 8, 1.0) - 0.5) * self.neck * 0.7
        bars = np.maximum(np.abs(up[1]) - 0.33, posts - 0.06)
        cage = np.maximum(np.abs(around - self.neck * 0.68) - 0.02, bars)
        rail = np.maximum(np.abs(around - self.neck - 0.18) - 0.015, np.abs(up[1] + 0.23) - 0.015)
        return np.minimum(np.minimum(cage, ellipsoid(up, (0.22, 0.26, 0.22))), rail) * np.float32(0.8)

    def lantern_paint(self, points: Floats) -> Material:
        """Color the lamp bright and the iron dark."""
        lamp = norm2(points[0], points[2]) < 0.25
        return Material(np.where(lamp, np.float32(0.85), np.float32(0.07)) * np.ones((3, 1), np.float32), 0.6, 0.05)

    def roof(self, points: Floats) -> Floats:
        """Be the dome with its ball."""
        up = moved(points, (0, self.tall + 0.88, 0))
        dome = np.maximum(ellipsoid(up, (self.neck * 0.82, 0.36, self.neck * 0.82)), -up[1])
        return np.minimum(dome, norm2(norm2(up[0], up[2]), up[1] - 0.44) - 0.08)

    def parts(self, pose: Floats) -> list[Part]:
        """Put it on the ground."""
        top, place = self.tall + 1.4, np.zeros(3, np.float32)
        wide, rail = max(self.foot, self.neck + 0.3), self.neck + 0.25
        roof = even(self.trim * np.float32(0.9), 0.5, 0.05)
        return [
            Part(self.tower, self.tower_paint, top, place, pose, bounds=(wide, self.tall + 0.3, wide)),
            Part(self.lantern, self.lantern_paint, top, place, pose, bounds=(rail, top, rail)),
            Part(self.roof, roof, top, place, pose, bounds=(self.neck, top, self.neck)),
        ]


def draw_lighthouse(rng: np.random.Generator) -> Lighthouse:
    """Draw the proportions and the colors."""
    tall = float(rng.uniform(3.2, 5.5))
    return Lighthouse(
        tall,
        foot=float(rng.uniform(0.75, 1.05)),
        neck=float(rng.uniform(0.45, 0.62)),
        bands=int(rng.choice([0, 0, 3, 4, 5])),
        windows=tuple((float(rng.uniform(0.2, 0.85)) * tall, float(rng.uniform(0, 6.28))) for _ in range(6)),
        wall=linear(tinted(rng, (0.93, 0.92, 0.89), 0.02)),
        trim=linear(tinted(rng, TRIMS[rng.integers(len(TRIMS))], 0.05)),
        lattice=Lattice.draw(rng),
    )


def cottage(rng: np.random.Generator, wall: Floats, roof: Floats) -> Part:
    """Make the keeper's house beside the tower."""
    long = float(rng.uniform(0.9, 1.6))

    def solid(points: Floats) -> Floats:
        body = box(moved(points, (0, 0.4, 0)), (long, 0.4, 0.55))
        eaves = np.maximum(np.abs(points[0]) - long - 0.05, 0.75 - points[1])
        return np.minimum(body, np.maximum((np.abs(points[2]) * 0.75 + points[1] - 1.3) * 0.8, eaves))

    def paint(points: Floats) -> Material:
        across = smoothstep(0.14, 0.13, np.abs(np.mod(points[0] * 1.6, 1.0) - 0.5) * 0.6)
        pane = across * smoothstep(0.18, 0.17, np.abs(points[1] - 0.42))
        albedo = mix(evenly(wall, points), (0.04, 0.045, 0.05), pane)
        return Material(mix(albedo, roof * np.float32(0.7), (points[1] > 0.78).astype(np.float32)), 0.2, 0.03)

    side = float(rng.choice([-1, 1]))
    place = np.array([side * (1.0 + long), 0, rng.uniform(-0.3, 0.8)], np.float32)
    return Part(solid, paint, 2.2, place, spin(rng.normal(0, 0.3)), bounds=(long + 0.1, 1.35, 0.75))


def beacon(rng: np.random.Generator, frame: Frame) -> Floats:
    """A lighthouse on the coast, often with a house beside it."""
    made = draw_lighthouse(rng)
    parts = made.parts(spin(rng.uniform(0, 6.28)))
    if rng.random() < 0.6:
        parts.append(cottage(rng, made.wall, made.trim))
    top = made.tall + 1.4
    shot = Shot((float(rng.uniform(-0.6, 0.6)), top * 0.5, 0), top * 0.52, (0.8, 1.15), (-1, 8), blur=(0.0, 0.0))
    scene = in_the_open(rng, frame, parts, shot, grass if rng.random() < 0.6 else sand)
    if rng.random() < 0.5:
        scene = replace(scene, backdrop=sea_band(rng, scene.backdrop, horizon(scene.view)))
    return render(scene)
