"""Teapots and cups of espresso."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import blend, capsule, cylinder, ellipsoid, length, moved, norm2, shell, smoothstep
from sparkcore.samples.staging import Shot, on_table
from sparkcore.samples.subjects.materials import GLAZES, ceramic
from sparkcore.samples.surfaces import tinted
from sparkcore.samples.tracer import Painter, Part
from sparkcore.samples.view import spin


@dataclass(frozen=True)
class Teapot:
    """One teapot: half its body's height, the size of its handle, its glaze."""

    tall: float
    bow: float
    color: Floats
    band: Floats
    banded: bool
    metal: float
    lattice: Lattice

    def body(self, points: Floats) -> Floats:
        """Be the belly with foot and rim."""
        belly = np.maximum(ellipsoid(points, (1.0, self.tall, 1.0)), -points[1] - self.tall * 0.86)
        foot = cylinder(moved(points, (0, -self.tall * 0.86, 0)), 0.58, 0.06, 0.03)
        rim = cylinder(moved(points, (0, self.tall * 0.93, 0)), 0.46, 0.05, 0.03)
        return blend(blend(belly, foot, 0.08), rim, 0.05)

    def lid(self, points: Floats) -> Floats:
        """Be the lid with its knob."""
        up = moved(points, (0, self.tall * 0.95, 0))
        return blend(ellipsoid(up, (0.42, 0.16, 0.42)), length(moved(up, (0, 0.25, 0))) - np.float32(0.10), 0.06)

    def spout(self, points: Floats) -> Floats:
        """Be the bent spout, open at its end."""
        low = capsule(points, (0.75, -0.25 * self.tall, 0), (1.25, 0.12 * self.tall, 0), (0.27, 0.16))
        high = capsule(points, (1.25, 0.12 * self.tall, 0), (1.55, 0.80 * self.tall, 0), (0.16, 0.10))
        mouth = capsule(points, (1.45, 0.6 * self.tall, 0), (1.6, 0.95 * self.tall, 0), (0.05, 0.075))
        return np.maximum(blend(low, high, 0.12), -mouth)

    def handle(self, points: Floats) -> Floats:
        """Be the handle, a standing ring."""
        ring = norm2((points[0] + 1.0) * 0.95, points[1] - 0.08) - self.bow
        return norm2(ring, points[2] * 0.8) - np.float32(0.085)

    def solid(self, points: Floats) -> Floats:
        """Be the whole pot."""
        whole = blend(blend(self.body(points), self.spout(points), 0.1), self.handle(points), 0.06)
        return np.minimum(whole, self.lid(points)) * np.float32(0.92)

    def paint(self, points: Floats) -> Material:
        """Glaze it, with a band and blooms on some."""
        albedo = evenly(self.color, points)
        if self.banded:
            stripe = smoothstep(0.13, 0.12, np.abs(points[1] - 0.1)) * (norm2(points[0], points[2]) > 0.55)
            bloom = smoothstep(0.55, 0.6, self.lattice.at(points, 4.0)) * (points[1] < -0.1)
            albedo = mix(albedo, self.band, np.maximum(stripe * 0.9, bloom * 0.6))
        return Material(albedo * (0.9 + 0.2 * self.lattice.fractal(points, 3.0)), 0.85, 0.05, metal=self.metal)


def teapot(rng: np.random.Generator, frame: Frame) -> Floats:
    """A teapot on a table."""
    color, band = (linear(tinted(rng, GLAZES[rng.integers(len(GLAZES))], 0.06)) for _ in range(2))
    tall, bow = float(rng.uniform(0.68, 0.95)), float(rng.uniform(0.36, 0.48))
    metal = 0.8 if rng.random() < 0.15 else 0.0
    made = Teapot(tall, bow, color, band, rng.random() < 0.5, metal, Lattice.draw(rng))
    center = np.array([0, tall * 0.92, 0], np.float32)
    part = Part(made.solid, made.paint, 1.75, center, bounds=(1.72, tall + 0.45, 1.05))
    turn = (-60.0, 60.0) if rng.random() < 0.5 else (120.0, 240.0)
    return render(on_table(rng, frame, [part], Shot((0.1, tall, 0), 1.5, (0.85, 1.2), (8, 40), turn)))


@dataclass(frozen=True)
class Cup:
    """A cup's height and width at the rim."""

    tall: float
    wide: float

    def solid(self, points: Floats) -> Floats:
        """Be the wall, the floor and the handle."""
        wall = shell(points, [(0.36, 0.05), (self.wide * 0.82, self.tall * 0.35), (self.wide, self.tall)], 0.035)
        floor = cylinder(moved(points, (0, 0.06, 0)), 0.40, 0.06, 0.02)
        ring = norm2(points[0] + self.wide * 0.98, points[1] - self.tall * 0.55) - 0.24 * self.tall
        slope = 0.82 + 0.18 * np.clip((points[1] / self.tall - 0.35) / 0.65, 0, 1)
        outside = norm2(points[0], points[2]) - self.wide * slope
        handle = np.maximum(norm2(ring, points[2] * 0.7) - np.float32(0.05), -outside)
        return np.minimum(blend(wall, handle, 0.05), floor)


def saucer(points: Floats) -> Floats:
    """Be a saucer."""
    return shell(points, [(0.0, 0.0), (0.7, 0.0), (1.35, 0.16)], 0.035)


def crema(rng: np.random.Generator, wide: float) -> Painter:
    """Make the swirled foam on coffee."""
    lattice, cream = Lattice.draw(rng), linear(tinted(rng, (0.60, 0.37, 0.17), 0.06))
    dark, swirl = linear((0.20, 0.09, 0.04)), float(rng.uniform(1, 4))

    def paint(points: Floats) -> Material:
        around = norm2(points[0], points[2])
        c, s = np.cos(around * swirl), np.sin(around * swirl)
        turned = np.stack([c * points[0] - s * points[2], points[1] * 0, s * points[0] + c * points[2]])
        foam = smoothstep(0.42, 0.72, lattice.fractal(turned, 3.0, 4))
        albedo = mix(evenly(cream, points), dark, foam * 0.85)
        return Material(mix(albedo, dark, smoothstep(wide * 0.75, wide * 0.92, around) * 0.5), 0.6, 0.04)

    return paint


def espresso(rng: np.random.Generator, frame: Frame) -> Floats:
    """A small cup of coffee on a saucer."""
    glaze = (0.95, 0.94, 0.92) if rng.random() < 0.85 else GLAZES[rng.integers(len(GLAZES))]
    paint = ceramic(rng, linear(tinted(rng, glaze, 0.03)))
    cup = Cup(float(rng.uniform(0.75, 1.0)), float(rng.uniform(0.68, 0.82)))
    level = cup.tall * float(rng.uniform(0.72, 0.85))

    def coffee(points: Floats) -> Floats:
        return cylinder(moved(points, (0, level - 0.05, 0)), cup.wide * 0.95, 0.05)

    low, lift = np.array([0, 0.04, 0], np.float32), np.array([0, 0.07, 0], np.float32)
    pose = spin(rng.uniform(0, 6.28))
    parts = [
        Part(saucer, paint, 1.4, low, bounds=(1.4, 0.22, 1.4)),
        Part(cup.solid, paint, 1.5, lift, pose, bounds=(1.32, cup.tall + 0.05, cup.wide + 0.05)),
        Part(coffee, crema(rng, cup.wide), 1.2, lift, bounds=(cup.wide, cup.tall, cup.wide)),
    ]
    return render(on_table(rng, frame, parts, Shot((0, 0.35, 0), 1.25, (0.9, 1.3), (28, 68))))
