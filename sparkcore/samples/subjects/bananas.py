"""Bananas."""

from __future__ import annotations

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import blend, norm2, smoothstep
from sparkcore.samples.staging import Shot, on_table
from sparkcore.samples.surfaces import tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin


def banana_part(rng: np.random.Generator, bend: float, center: Floats, pose: Floats) -> Part:
    """Make one banana: five-sided, bent, with a stem and a dark end."""
    lattice = Lattice.draw(rng)
    base = linear(tinted(rng, (0.95, 0.80, 0.20), 0.03))
    ring, thick, spots = 1.0 / bend, 0.24, float(rng.uniform(0.0, 1.0))

    def unbend(points: Floats) -> tuple[Floats, Floats, Floats]:
        x, y, z = points
        around = norm2(x + ring, y)
        return around - ring, np.arctan2(y, x + ring) * ring, z

    def skin(points: Floats) -> Floats:
        out, along, side = unbend(points)
        u = along / 1.15
        angle = np.arctan2(side, out)
        taper = thick * np.clip(1.0 - np.abs(u) ** 3.2, 0.0, 1.0) ** 0.5
        body = norm2(out, side) * (1 + 0.035 * np.cos(5 * angle)) - taper
        stem = norm2(out, side) - (0.055 + 0.03 * smoothstep(1.1, 0.8, u))
        stem = np.maximum(stem, np.abs(along - 1.15) - 0.33)
        tip = norm2(norm2(out, side), along + 1.1) - 0.055
        ends = np.maximum(body, np.abs(along) - 1.15)
        return np.minimum(blend(ends, stem, 0.12), tip) * np.float32(0.7)

    def paint(points: Floats) -> Material:
        _, along, _ = unbend(points)
        u = along / 1.15
        albedo = evenly(base, points)
        albedo = mix(albedo, linear((0.66, 0.70, 0.18)), 0.7 * smoothstep(0.75, 1.15, np.abs(u)))
        albedo = mix(albedo, linear((0.16, 0.11, 0.06)), smoothstep(-0.93, -0.98, u) + smoothstep(1.22, 1.27, u))
        freckle = smoothstep(0.74, 0.82, lattice.at(points, 13.0)) + smoothstep(0.72, 0.8, lattice.at(points, 5.0))
        albedo = mix(albedo, linear((0.36, 0.22, 0.07)), np.clip(freckle, 0, 1) * spots * 0.8)
        return Material(albedo * (0.85 + 0.3 * lattice.at(points, 3.0)), 0.4, 0.035, translucency=0.12)

    return Part(skin, paint, 1.6, center, pose, bounds=(0.75, 1.6, 0.3))


def banana(rng: np.random.Generator, frame: Frame) -> Floats:
    """A banana, or a hand of them, on a table."""
    count = int(rng.choice([1, 2, 3, 4, 5]))
    bend = float(rng.uniform(0.5, 0.75))
    parts = []
    for number in range(count):
        shift = number - (count - 1) / 2
        fan = spin(0.0, np.pi / 2 + rng.normal(0, 0.03), 0.0)
        sway = spin(0.16 * shift + rng.normal(0, 0.03), 0.0, rng.normal(0.0, 0.05))
        center = np.array([0.42 * shift, 0.25 + 0.03 * number, rng.normal(0, 0.04)], np.float32)
        parts.append(banana_part(rng, bend * float(rng.normal(1, 0.05)), center, sway @ fan))
    shot = Shot((-0.1, 0.2, 0.0), 1.25 + 0.12 * count, (0.95, 1.3), (25, 75))
    return render(on_table(rng, frame, parts, shot))
