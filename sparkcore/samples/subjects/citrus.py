"""Oranges and lemons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import blend, capsule, ellipsoid, norm2, smoothstep
from sparkcore.samples.staging import Shot, extent, heap, on_table
from sparkcore.samples.subjects.materials import any_turn
from sparkcore.samples.surfaces import tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

Maker = Callable[[np.random.Generator, Floats, float], Part]
# Linear colors of rind and pulp, and length over width.
Cut = tuple[Floats, Floats, float]


def orange_part(rng: np.random.Generator, center: Floats, radius: float) -> Part:
    """Make one orange: dimpled skin, a green navel with its star."""
    lattice = Lattice.draw(rng)
    flat = rng.uniform(0.92, 1.0)
    base = linear(tinted(rng, (0.98, 0.55, 0.06), 0.025))
    ripe = linear(tinted(rng, (0.97, 0.66, 0.12), 0.025))
    pore = float(rng.uniform(26, 36))

    def skin(points: Floats) -> Floats:
        return ellipsoid(points, (1.0, flat, 1.0)) + 0.03 * np.exp(-((points[0] ** 2 + points[2] ** 2) / 0.02))

    def pores(points: Floats) -> Floats:
        return -0.006 * smoothstep(0.5, 0.95, lattice.at(points, pore))

    def paint(points: Floats) -> Material:
        albedo = evenly(base, points)
        albedo = mix(albedo, ripe, smoothstep(0.4, 0.75, lattice.at(points, 1.7)))
        albedo = albedo * (1.0 - 0.18 * smoothstep(0.5, 0.95, lattice.at(points, pore)))
        stem = norm2(points[0], points[2]) * (1 + 0.25 * np.sin(5 * np.arctan2(points[0], points[2])))
        navel = smoothstep(0.13, 0.08, stem) * (points[1] > 0)
        return Material(mix(albedo, (0.14, 0.17, 0.04), navel), 0.5, 0.04, translucency=0.15)

    return Part(skin, paint, 1.04, center, any_turn(rng), radius, pores)


def half_part(rng: np.random.Generator, place: Floats, radius: float, cut: Cut) -> Part:
    """Make half a citrus fruit, its cut face up and turned a little to the camera."""
    lattice = Lattice.draw(rng)
    rind, pulp, long = cut
    segments = int(rng.integers(9, 12))
    pith = linear((0.96, 0.90, 0.72))

    def skin(points: Floats) -> Floats:
        return np.maximum(ellipsoid(points, (1.0, long, 1.0)), points[1])

    def paint(points: Floats) -> Material:
        around = norm2(points[0], points[2])
        turn = np.arctan2(points[2], points[0]) / (2 * np.pi) * segments
        off = np.abs(np.mod(turn, 1.0) - 0.5)
        wall = smoothstep(0.028, 0.012, (0.5 - off) * around * 6.28 / segments)
        wall = np.maximum(wall, np.maximum(smoothstep(0.12, 0.07, around), smoothstep(0.80, 0.86, around)))
        streak = lattice.at(np.stack([turn * 4.0, around * 3.5, np.zeros_like(turn)]), 2.0)
        flesh = pulp[:, None] * (0.72 + 0.5 * streak)
        face = mix(flesh, pith, wall)
        face = mix(face, rind, smoothstep(0.93, 0.96, around))
        cut = (points[1] > -0.02).astype(np.float32)
        albedo = mix(evenly(rind, points), face, cut)
        return Material(albedo, 0.5 + 0.2 * cut, 0.04, translucency=0.25)

    center = place + np.array([0, 0.62 * radius, 0], np.float32)
    pose = spin(rng.normal(0, 0.4), -float(rng.uniform(0.35, 1.1)))
    return Part(skin, paint, max(1.02, long), center, pose, radius)


def lemon_part(rng: np.random.Generator, center: Floats, radius: float) -> Part:
    """Make one lemon lying on its side."""
    lattice = Lattice.draw(rng)
    base = linear(tinted(rng, (0.98, 0.81, 0.10), 0.02))
    green = linear((0.90, 0.80, 0.14))
    long, nipple = rng.uniform(1.22, 1.42), rng.uniform(0.16, 0.26)

    def skin(points: Floats) -> Floats:
        body = ellipsoid(points, (1.0, long * 0.93, 1.0))
        tip = capsule(points, (0, long * 0.6, 0), (0, long * 1.08, 0), (0.42, nipple * 0.6))
        stem = capsule(points, (0, -long * 0.6, 0), (0, -long * 0.95, 0), (0.40, 0.14))
        return np.minimum(blend(body, tip, 0.28), stem) * np.float32(0.9)

    def pores(points: Floats) -> Floats:
        return -0.007 * smoothstep(0.5, 0.9, lattice.at(points, 24.0))

    def paint(points: Floats) -> Material:
        albedo = evenly(base, points)
        albedo = mix(
            albedo, green, 0.8 * smoothstep(0.55, 0.9, np.abs(points[1]) / long + 0.3 * lattice.at(points, 2.0) - 0.1)
        )
        albedo = mix(albedo, linear((0.42, 0.36, 0.16)), smoothstep(-0.93, -1.0, points[1] / long))
        return Material(albedo, 0.5, 0.035, translucency=0.15)

    pose = spin(rng.uniform(0, 6.28), np.pi / 2 + rng.normal(0, 0.15), rng.uniform(0, 6.28))
    return Part(skin, paint, long * 1.2, center, pose, radius, pores)


def leaf_part(rng: np.random.Generator, fruit: Floats, radius: float) -> Part:
    """Make a leaf that leans on a fruit."""
    lattice = Lattice.draw(rng)
    green = linear(tinted(rng, (0.20, 0.42, 0.12), 0.08))
    long, wide, bow = rng.uniform(1.0, 1.4), rng.uniform(0.36, 0.5), rng.uniform(0.15, 0.4)

    def blade(points: Floats) -> Floats:
        x, y, z = points
        along = np.clip(x / long, -1, 1)
        edge = np.abs(z) - wide * (1 - along * along) * (1 - 0.25 * along)
        sheet = np.abs(y + bow * along * along - 0.25 * np.abs(z)) - 0.015
        return np.maximum(np.maximum(sheet * 0.8, edge * 0.75), np.abs(x) - long)

    def paint(points: Floats) -> Material:
        side = np.abs(np.mod((points[0] - np.abs(points[2]) * 0.9) * 5, 1.0) - 0.5)
        vein = np.maximum(smoothstep(0.03, 0.01, np.abs(points[2])), 0.5 * smoothstep(0.06, 0.0, side))
        albedo = green[:, None] * (0.7 + 0.6 * lattice.at(points, 4.0))
        return Material(mix(albedo, linear((0.55, 0.68, 0.35)), vein * 0.6), 0.55, 0.04, translucency=0.3)

    turn = rng.uniform(0, 6.28)
    away = np.array([np.sin(turn), 0.0, np.cos(turn)], np.float32) * np.float32(0.75 * radius)
    center = fruit + away + np.array([0, 0.72 * radius, 0], np.float32)
    pose = spin(turn - np.pi / 2) @ spin(0.0, rng.normal(0, 0.2), -rng.uniform(0.3, 0.8))
    return Part(blade, paint, long, center, pose, radius * 0.85, bounds=(long, bow + 0.2, wide * 1.2))


def citrus(rng: np.random.Generator, frame: Frame, make: Maker, cut: Cut) -> Floats:
    """Pile whole fruit on a table, often with halves in front."""
    placed = heap(rng, int(rng.choice([1, 2, 3, 3, 4, 5])), 1.0)
    middle, _ = extent(placed)
    parts = [make(rng, center, size) for center, size in placed]
    if len(placed) == 1 or rng.random() < 0.6:
        front = min(float(center[2]) - size for center, size in placed)
        for number in range(int(rng.integers(1, 3))):
            place = np.array(
                [middle[0] + rng.uniform(-0.5, 0.5) + 1.9 * number * rng.choice([-1, 1]), 0, front - 0.7], np.float32
            )
            parts.append(half_part(rng, place, float(rng.uniform(0.85, 1.0)), cut))
            placed.append((place, 0.9))
    if rng.random() < 0.5:
        center, size = placed[int(rng.integers(len(placed) // 2 + 1))]
        parts += [leaf_part(rng, center, size) for _ in range(int(rng.integers(1, 3)))]
    middle, reach = extent(placed)
    shot = Shot(middle, reach, (0.85, 1.3), (15, 55), (-40, 40))
    return render(on_table(rng, frame, parts, shot))


def orange(rng: np.random.Generator, frame: Frame) -> Floats:
    """Oranges, whole and halved."""
    rind, pulp = linear((0.98, 0.55, 0.06)), linear(tinted(rng, (0.99, 0.60, 0.10), 0.02))
    return citrus(rng, frame, orange_part, (rind, pulp, 1.0))


def lemon(rng: np.random.Generator, frame: Frame) -> Floats:
    """Lemons, whole and halved."""
    rind, pulp = linear((0.98, 0.81, 0.10)), linear(tinted(rng, (0.96, 0.88, 0.42), 0.02))
    return citrus(rng, frame, lemon_part, (rind, pulp, 1.25))
