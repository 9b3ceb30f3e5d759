"""Balls of sports."""

from __future__ import annotations

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import length, smoothstep
from sparkcore.samples.staging import Shot, in_the_open, on_table
from sparkcore.samples.subjects.materials import any_turn
from sparkcore.samples.surfaces import sand, tinted, wood
from sparkcore.samples.tracer import Part


def sphere(points: Floats) -> Floats:
    """Be a ball of radius 1."""
    return length(points) - np.float32(1.0)


def basketball_part(rng: np.random.Generator, center: Floats) -> Part:
    """Make a pebbled orange ball with black seams."""
    lattice = Lattice.draw(rng)
    base = linear(tinted(rng, (0.80, 0.40, 0.17), 0.06))
    width = rng.uniform(0.016, 0.026)

    def seams(points: Floats) -> Floats:
        x, y, z = points
        curve = np.abs(np.abs(x) - 0.50 - 0.34 * z * z - 0.05 * y * y) * 0.85
        return np.minimum(np.minimum(np.abs(y), np.abs(z)), curve)

    def relief(points: Floats) -> Floats:
        return 0.004 * lattice.at(points, 60.0) - 0.012 * smoothstep(width * 1.6, width * 0.5, seams(points))

    def paint(points: Floats) -> Material:
        albedo = evenly(base, points) * (0.75 + 0.5 * lattice.fractal(points, 4.0))
        albedo *= 0.8 + 0.4 * lattice.at(points, 60.0)
        albedo = mix(albedo, (0.012, 0.011, 0.01), smoothstep(width * 1.25, width * 0.75, seams(points)))
        return Material(albedo, 0.35, 0.04)

    return Part(sphere, paint, 1.02, center, any_turn(rng), 1.0, relief)


def basketball(rng: np.random.Generator, frame: Frame) -> Floats:
    """A basketball on a wooden court."""
    parts = [basketball_part(rng, np.array([0, 1, 0], np.float32))]
    shot = Shot((0, 0.95, 0), 1.1, (0.6, 1.1), (4, 35))
    return render(on_table(rng, frame, parts, shot, wood))


PALETTES = (
    ((0.93, 0.92, 0.90),) * 3,
    ((0.93, 0.92, 0.90),) * 3,
    ((0.93, 0.92, 0.90), (0.95, 0.80, 0.15), (0.16, 0.28, 0.62)),
    ((0.93, 0.92, 0.90), (0.16, 0.30, 0.62), (0.93, 0.92, 0.90)),
    ((0.95, 0.80, 0.15), (0.16, 0.28, 0.62), (0.95, 0.80, 0.15)),
    ((0.93, 0.92, 0.90), (0.80, 0.15, 0.15), (0.15, 0.45, 0.30)),
)


def volleyball_part(rng: np.random.Generator, center: Floats) -> Part:
    """Make a ball of eighteen panels, three by three in six directions."""
    lattice = Lattice.draw(rng)
    colors = np.stack([linear(tinted(rng, color, 0.03)) for color in PALETTES[rng.integers(len(PALETTES))]])

    def panels(points: Floats) -> tuple[Floats, Floats]:
        size = np.abs(points)
        axis = size.argmax(axis=0)
        columns = np.arange(points.shape[1])
        high = size[axis, columns] + 1e-6
        across, along = points[(axis + 1) % 3, columns] / high, points[(axis + 2) % 3, columns] / high
        across, along = np.arctan(across) / (np.pi / 4), np.arctan(along) / (np.pi / 4)
        strip = across * 1.5
        seam = np.minimum(np.abs(np.abs(strip) - 0.5) / 1.5, np.minimum(1 - np.abs(across), 1 - np.abs(along)))
        return seam, np.clip(np.rint(strip), -1, 1)

    def relief(points: Floats) -> Floats:
        seam, _ = panels(points)
        return -0.02 * smoothstep(0.05, 0.0, seam) + 0.002 * lattice.at(points, 40.0)

    def paint(points: Floats) -> Material:
        seam, strip = panels(points)
        albedo = colors[(strip + 1).astype(np.int8)].T * (0.85 + 0.25 * lattice.fractal(points, 3.0))
        albedo = albedo * (1.0 - 0.75 * smoothstep(0.035, 0.008, seam))
        return Material(albedo, 0.35, 0.035)

    return Part(sphere, paint, 1.02, center, any_turn(rng), 1.0, relief)


def volleyball(rng: np.random.Generator, frame: Frame) -> Floats:
    """A volleyball on sand, grass or a gym floor."""
    parts = [volleyball_part(rng, np.array([0, 1, 0], np.float32))]
    shot = Shot((0, 0.95, 0), 1.1, (0.6, 1.1), (5, 35))
    if rng.random() < 0.5:
        return render(on_table(rng, frame, parts, shot, wood))
    return render(in_the_open(rng, frame, parts, shot, sand))
