"""Picket fences and chains: a board or a link, many times."""

from __future__ import annotations

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, linear
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import Distance, box, moved, norm2, polygon
from sparkcore.samples.staging import Shot, in_the_open, on_table
from sparkcore.samples.surfaces import grass, tinted
from sparkcore.samples.tracer import Painter, Part
from sparkcore.samples.view import spin

BOARD = 0.17
IRONS = ((0.72, 0.72, 0.74), (0.55, 0.53, 0.52), (0.45, 0.30, 0.22))
RING = 0.62


def boards(count: int, pitch: float, tall: float, peak: float) -> Distance:
    """Make pointed boards on two rails."""
    half, side = count * pitch / 2, BOARD / 2
    outline = [(-side, 0.0), (side, 0.0), (side, tall - peak), (0.0, tall + 0.001), (-side, tall - peak)]

    def solid(points: Floats) -> Floats:
        x = points[0] - pitch * np.clip(np.round(points[0] / pitch), -count // 2, count // 2)
        board = np.maximum(polygon(x, points[1], outline), np.abs(points[2]) - 0.02)
        low, high = (box(moved(points, (0, part * tall, 0.05)), (half + 0.1, 0.05, 0.03)) for part in (0.3, 0.75))
        return np.minimum(board, np.minimum(low, high))

    return solid


def paintwork(rng: np.random.Generator, color: Floats) -> Painter:
    """Make painted wood, a little stained along the boards."""
    lattice = Lattice.draw(rng)
    stretch = np.array([[9.0], [1.2], [9.0]], np.float32)

    def paint(points: Floats) -> Material:
        return Material(color[:, None] * (0.72 + 0.5 * lattice.fractal(points * stretch, 2.0)), 0.2, 0.03)

    return paint


def picket_fence(rng: np.random.Generator, frame: Frame) -> Floats:
    """A fence of pointed boards before a garden."""
    count = int(rng.integers(9, 17))
    pitch, tall = float(rng.uniform(0.24, 0.34)), float(rng.uniform(1.0, 1.5))
    peak = float(rng.choice([0.0, 0.10, 0.16]))
    color = linear(tinted(rng, (0.93, 0.93, 0.91) if rng.random() < 0.85 else (0.50, 0.42, 0.34), 0.03))
    half = count * pitch / 2
    fence = Part(
        boards(count, pitch, tall, peak),
        paintwork(rng, color),
        float(np.hypot(half, tall)) + 0.2,
        np.zeros(3, np.float32),
        bounds=(half + 0.3, tall + 0.02, 0.1),
    )
    shot = Shot((0.0, tall * 0.5, 0.0), half * 0.72, (0.9, 1.4), (2, 16), (-55, 55), (30, 48))
    return render(in_the_open(rng, frame, [fence], shot, grass))


def iron(rng: np.random.Generator) -> Painter:
    """Make steel with more or less rust."""
    lattice, color = Lattice.draw(rng), linear(tinted(rng, IRONS[rng.integers(len(IRONS))], 0.05))
    rusty = float(rng.uniform(0.0, 0.8))
    rust_color = linear((0.42, 0.22, 0.12))[:, None]

    def paint(points: Floats) -> Material:
        spots = lattice.fractal(points, 3.0)
        clean = color[:, None] * (0.5 + 0.8 * spots)
        rust = np.clip((spots - 0.62 + 0.25 * rusty) * 6, 0, 1)
        return Material(clean + (rust_color - clean) * rust, 0.55 - 0.3 * rusty, 0.5, metal=0.75 - 0.5 * rusty)

    return paint


def strand(rng: np.random.Generator, place: Floats, turn: float, link: Part) -> list[Part]:
    """Lay links in a gentle bend; every second one is rolled the other way."""
    assert link.bounds is not None
    tube = link.bounds[1]
    pitch = 2 * (link.bounds[0] - tube * 2.05)
    offset, bend = float(rng.normal(0, 0.5)), float(rng.normal(0, 0.10))
    links = []
    for number in range(-3, 4):
        heading = turn + bend * number
        forward = np.array([np.cos(heading), 0, -np.sin(heading)], np.float32)
        center = place + forward * np.float32(pitch * number + offset)
        roll = (0.75 if number % 2 else -0.75) + float(rng.normal(0, 0.08))
        pose = spin(heading) @ spin(0.0, roll)
        links.append(Part(link.distance, link.paint, link.radius, center, pose, bounds=link.bounds))
    return links


def chain(rng: np.random.Generator, frame: Frame) -> Floats:
    """Chains lying on a table."""
    long, tube = float(rng.uniform(0.28, 0.42)), float(rng.uniform(0.14, 0.2))

    def ring(points: Floats) -> Floats:
        x = np.maximum(np.abs(points[0]) - long, 0.0)
        return norm2(norm2(x, points[2]) - np.float32(RING), points[1]) - np.float32(tube)

    size = (long + RING + tube, tube, RING + tube)
    link = Part(ring, iron(rng), size[0], np.zeros(3, np.float32), bounds=size)
    parts: list[Part] = []
    strands = int(rng.integers(1, 4))
    for number in range(strands):
        place = np.array([0.0, 0.62 + 0.3 * number, 1.6 * (number - (strands - 1) / 2)], np.float32)
        parts += strand(rng, place, float(rng.uniform(-0.5, 0.5)) + (1.4 if number == 2 else 0.0), link)
    return render(on_table(rng, frame, parts, Shot((0, 0.5, 0), 2.6, (0.95, 1.4), (20, 80))))
