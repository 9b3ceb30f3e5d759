"""Candles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Light, Material, evenly, linear
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.optics import blur_rgb
from sparkcore.samples.scene import render
from sparkcore.samples.solids import capsule, cylinder, norm2, smoothstep
from sparkcore.samples.staging import Shot, on_table
from sparkcore.samples.subjects.materials import even
from sparkcore.samples.surfaces import tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import View

WAXES = ((0.93, 0.89, 0.80), (0.93, 0.89, 0.80), (0.75, 0.15, 0.12), (0.90, 0.75, 0.45), (0.55, 0.60, 0.75))
FIRELIGHT = np.array([0.9, 0.5, 0.2], np.float32)


def flame_shape(rng: np.random.Generator, view: View, foot: Floats, size: float) -> Floats:
    """Give a flame's light (height, width, 3) whose foot is at a point of the scene, `size` units tall."""
    column, row, depth = view.project(foot[:, None])[:, 0]
    tall = view.focal * size / max(float(depth), 0.1)
    rows = (row - np.arange(view.height, dtype=np.float32)[:, None]) / tall
    bend = rng.normal(0, 0.06)
    columns = (np.arange(view.width, dtype=np.float32)[None, :] - column) / tall - bend * rows * np.abs(rows)
    part = np.clip(rows, 0.0, 1.0)
    half = 0.30 * np.sqrt(part + 1e-4) * (1.0 - part) ** 0.75 + 1e-3
    inside = smoothstep(1.1, 0.5, np.abs(columns) / half) * smoothstep(-0.01, 0.06, rows) * smoothstep(1.02, 0.8, rows)
    core = inside * smoothstep(0.02, 0.35, part)
    blue = inside * smoothstep(0.28, 0.0, part)
    color = core[:, :, None] * np.array([7.0, 4.2, 1.5], np.float32)
    return color + blue[:, :, None] * np.array([0.15, 0.25, 0.9], np.float32)


def dim(light: Light, level: float) -> Light:
    """Turn a light down to that of a dark room."""
    part = np.float32(level)
    panes = tuple((towards, size, strength * level) for towards, size, strength in light.panes)
    return replace(
        light,
        color=light.color * part,
        above=light.above * part,
        level=light.level * part,
        below=light.below * part,
        panes=panes,
    )


def candle_part(rng: np.random.Generator, place: Floats, radius: float, tall: float, color: Floats) -> list[Part]:
    """Make one candle with a melted top and a wick."""
    lattice = Lattice.draw(rng)
    half = tall / 2
    glow = np.array([1.0, 0.42, 0.12], np.float32) * np.float32(rng.uniform(0.7, 1.3))

    def wax(points: Floats) -> Floats:
        around = norm2(points[0], points[2])
        body = cylinder(points, radius, half, 0.08 * radius)
        bowl = points[1] - half + 0.25 * radius - 0.22 * around**2 / radius
        return np.maximum(body, bowl) - 0.02 * radius * lattice.at(points, 3.0 / radius)

    def paint(points: Floats) -> Material:
        down = (half - points[1]) / radius
        shine = np.exp(-down * 1.1) * 0.9 * color[:, None] ** 0.5
        albedo = evenly(color, points)
        return Material(albedo, 0.4, 0.035, translucency=0.4, glow=glow[:, None] * shine)

    def wick(points: Floats) -> Floats:
        return capsule(
            points, (0, half - 0.3 * radius, 0), (0.03, half + 0.22 * radius, 0), (0.045 * radius, 0.03 * radius)
        )

    black = even(linear((0.08, 0.06, 0.05)), 0.1, 0.02)
    center = place + np.array([0, half, 0], np.float32)
    reach = (radius * 1.05, half + 0.3 * radius, radius * 1.05)
    return [
        Part(wax, paint, half + radius, center, bounds=reach),
        Part(wick, black, half + radius, center, bounds=reach),
    ]


def candle_group(rng: np.random.Generator) -> tuple[list[Part], list[Floats], float]:
    """Draw one to five candles; gives their parts, where their flames begin, and the group's radius."""
    count, slim = int(rng.choice([1, 1, 2, 3, 4, 5])), rng.random() < 0.5
    color = linear(tinted(rng, WAXES[rng.integers(len(WAXES))]))
    parts: list[Part] = []
    flames = []
    for number in range(count):
        radius = float(rng.uniform(0.16, 0.28) if slim else rng.uniform(0.4, 0.6))
        tall = float(rng.uniform(1.1, 2.2) if slim else rng.uniform(0.6, 1.6))
        angle = number * 2.4 + float(rng.uniform(-0.5, 0.5))
        out = 0.0 if count == 1 else 0.75 * float(np.sqrt(number + 0.4))
        place = np.array([out * np.cos(angle), 0, out * np.sin(angle)], np.float32)
        parts += candle_part(rng, place, radius, tall, color)
        flames.append(place + np.array([0, tall - 0.1 * radius, 0], np.float32))
    return parts, flames, 0.6 + 0.5 * float(np.sqrt(count))


def candle(rng: np.random.Generator, frame: Frame) -> Floats:
    """Burning candles in a dim room."""
    parts, flames, wide = candle_group(rng)
    top = max(float(flame[1]) for flame in flames) + 0.7
    shot = Shot((0, top * 0.55, 0), max(top * 0.55, wide), (0.9, 1.3), (4, 25), blur=(0.03, 0.12))
    scene = on_table(rng, frame, parts, shot)
    dark, tall = float(rng.uniform(0.03, 0.25)), float(rng.uniform(0.55, 0.85))

    def burn(picture: Floats, view: View) -> Floats:
        fire = np.zeros_like(picture)
        for flame in flames:
            fire += flame_shape(rng, view, flame, tall * float(rng.normal(1, 0.1)))
        return picture + fire + 0.9 * blur_rgb(fire, view.width * 0.12) + 0.35 * blur_rgb(fire, view.width * 0.025)

    light = dim(scene.light, dark)
    light = replace(light, below=light.below + 0.10 * FIRELIGHT, level=light.level + 0.09 * FIRELIGHT)
    return render(replace(scene, light=light, backdrop=scene.backdrop * np.float32(dark * 0.6), overlay=burn))
