"""Barrels and hourglasses: turned and coopered wood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, linear
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import cylinder, moved, norm2, smoothstep
from sparkcore.samples.staging import Shot, in_the_open, on_table
from sparkcore.samples.subjects.materials import timber
from sparkcore.samples.surfaces import WOODS, grass, tinted, wood
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

HALF = 1.2
HOOPS = (((0.30, 0.06), (0.78, 0.06), (1.12, 0.06)), ((0.42, 0.09), (1.08, 0.09)))
STAINS = ((0.42, 0.22, 0.11), (0.62, 0.42, 0.24), (0.20, 0.12, 0.08), (0.72, 0.60, 0.32))
SANDS = ((0.88, 0.76, 0.55), (0.92, 0.90, 0.86), (0.25, 0.42, 0.70), (0.80, 0.35, 0.25))


@dataclass(frozen=True)
class Barrel:
    """One barrel: number of staves, bulge, hoops as (height, half width)."""

    staves: int
    bulge: float
    hoops: tuple[tuple[float, float], ...]
    color: Floats
    lattice: Lattice

    def wall(self, points: Floats) -> Floats:
        """Give the distance outside of the bulging wall."""
        along = np.clip(points[1] / HALF, -1, 1)
        return norm2(points[0], points[2]) - (0.78 + self.bulge * (1 - along * along))

    def hoop(self, points: Floats) -> Floats:
        """Give the distance along the height to the nearest hoop."""
        height = np.abs(points[1])
        return np.min([np.abs(height - at) - half for at, half in self.hoops], axis=0)

    def solid(self, points: Floats) -> Floats:
        """Be the barrel with its sunken heads."""
        wall = self.wall(points)
        body = np.maximum(wall, np.abs(points[1]) - HALF)
        head = np.maximum(1.13 - np.abs(points[1]), norm2(points[0], points[2]) - 0.72)
        return np.minimum(np.maximum(body, -head), np.maximum(wall - 0.02, self.hoop(points))) * np.float32(0.85)

    def stave(self, points: Floats) -> Floats:
        """Give the place around, in staves."""
        return np.arctan2(points[2], points[0]) * np.float32(self.staves / (2 * np.pi))

    def relief(self, points: Floats) -> Floats:
        """Sink the joints."""
        joint = smoothstep(0.42, 0.5, np.abs(np.mod(self.stave(points), 1.0) - 0.5))
        return -0.02 * joint * (np.abs(points[1]) < 1.12)

    def paint(self, points: Floats) -> Material:
        """Color each stave a little differently; hoops are of rusty iron."""
        side = np.abs(points[1]) < 1.12
        board = np.where(side, np.floor(self.stave(points)), np.floor(points[0] * 6))
        tone = 0.7 + 0.6 * np.mod(np.sin(board * 12.9898) * 43758.5, 1.0)
        grain = self.lattice.fractal(points * np.array([[8.0], [0.9], [8.0]], np.float32), 1.5)
        joint = smoothstep(0.44, 0.5, np.abs(np.mod(self.stave(points), 1.0) - 0.5)) * side
        planks = self.color[:, None] * ((0.35 + 1.1 * grain) * tone * (1 - 0.75 * joint))
        iron = smoothstep(0.01, -0.005, self.hoop(points)) * (self.wall(points) > -0.03)
        rust = linear((0.17, 0.15, 0.14))[:, None] * (0.5 + self.lattice.fractal(points, 6.0))
        return Material(planks + (rust - planks) * iron, 0.35, 0.05)


def draw_barrel(rng: np.random.Generator) -> Barrel:
    """Draw the wood and the hoops."""
    dark, pale = WOODS[rng.choice([0, 0, 1, 3])]
    color = 0.5 * (linear(tinted(rng, dark)) + linear(tinted(rng, pale)))
    hoops = HOOPS[int(rng.random() < 0.4)]
    return Barrel(int(rng.integers(18, 28)), float(rng.uniform(0.16, 0.26)), hoops, color, Lattice.draw(rng))


def barrel(rng: np.random.Generator, frame: Frame) -> Floats:
    """Wooden barrels, standing or lying."""
    lying, count = rng.random() < 0.12, int(rng.choice([1, 1, 2, 3]))
    parts = []
    for number in range(count):
        made = draw_barrel(rng)
        place = np.array([2.15 * (number - (count - 1) / 2), 1.0 if lying else HALF, rng.normal(0, 0.2)], np.float32)
        pose = spin(rng.normal(0, 0.2), np.pi / 2) if lying else spin(rng.uniform(0, 6.28))
        parts.append(Part(made.solid, made.paint, 1.6, place, pose, relief=made.relief, bounds=(1.06, 1.22, 1.06)))
    shot = Shot((0, 1.1, 0), 1.35 + 0.6 * (count - 1), (0.85, 1.2), (6, 30), (-40, 40))
    outside = rng.random() < 0.4
    return render(in_the_open(rng, frame, parts, shot, grass) if outside else on_table(rng, frame, parts, shot, wood))


@dataclass(frozen=True)
class Hourglass:
    """One hourglass: width of the bulbs, part of the sand that has fallen, posts of the stand."""

    wide: float
    fallen: float
    posts: int
    grains: Floats
    lattice: Lattice

    def waist(self, height: Floats) -> Floats:
        """Give the glass's radius at a height."""
        part = np.clip(np.abs(height) / HALF, 0, 1)
        return 0.045 + (self.wide - 0.045) * np.sin(np.clip(part * 1.9, 0, np.pi / 2 + 0.42)) ** 1.5

    def glass(self, points: Floats) -> Floats:
        """Be the two bulbs."""
        side = norm2(points[0], points[2]) - self.waist(points[1])
        return np.maximum(side, np.abs(points[1]) - HALF) * np.float32(0.6)

    def sand(self, points: Floats) -> Floats:
        """Be the mound below, the pool above and the stream between them."""
        around = norm2(points[0], points[2])
        inside = np.maximum(around - self.waist(points[1]) * 0.93, np.abs(points[1]) - 1.19)
        mound = points[1] + HALF - self.fallen * 0.85 + around * 0.45
        pool = np.maximum(points[1] - (1 - self.fallen) * 0.85 - 0.12 * around, -points[1])
        stream = np.maximum(around - 0.016, np.abs(points[1] + 0.5) - 0.55)
        return np.minimum(np.maximum(inside, np.minimum(mound, pool)), stream) * np.float32(0.6)

    def sand_paint(self, points: Floats) -> Material:
        """Color the grains."""
        return Material(self.grains[:, None] * (0.7 + 0.6 * self.lattice.at(points, 45.0)), 0.1, 0.02)

    def stand(self, points: Floats) -> Floats:
        """Be two plates with turned posts between them."""
        ends = points.copy()
        ends[1] = np.abs(ends[1]) - 1.32
        plate = cylinder(ends, self.wide + 0.28, 0.11, 0.05)
        best = np.minimum(plate, cylinder(moved(ends, (0, -0.12, 0)), self.wide * 0.72, 0.05, 0.03))
        turned = 0.055 + 0.025 * np.cos(points[1] * 7.0) ** 2
        for angle in np.linspace(0, 2 * np.pi, self.posts, endpoint=False).tolist():
            x = points[0] - float(np.cos(angle)) * (self.wide + 0.13)
            z = points[2] - float(np.sin(angle)) * (self.wide + 0.13)
            best = np.minimum(best, np.maximum(norm2(x, z) - turned, np.abs(points[1]) - 1.3) * 0.9)
        return best


def hourglass(rng: np.random.Generator, frame: Frame) -> Floats:
    """An hourglass on a table."""
    color = linear(tinted(rng, STAINS[rng.integers(len(STAINS))]))
    grains = linear(tinted(rng, SANDS[rng.integers(len(SANDS))]))
    wide, fallen = float(rng.uniform(0.52, 0.64)), float(rng.uniform(0.25, 0.8))
    made = Hourglass(wide, fallen, int(rng.choice([3, 4])), grains, Lattice.draw(rng))
    pose, center = spin(rng.uniform(0, 6.28)), np.array([0, 1.44, 0], np.float32)
    room, clear = (wide + 0.3, 1.45, wide + 0.3), np.array([0.94, 0.96, 0.95], np.float32)
    bulb = (wide + 0.05, HALF + 0.01, wide + 0.05)
    parts = [
        Part(made.stand, timber(rng, color), 1.7, center, pose, bounds=room),
        Part(made.sand, made.sand_paint, 1.7, center, pose, bounds=bulb),
        Part(made.glass, made.sand_paint, 1.7, center, pose, casts=0.25, glass=clear, bounds=bulb),
    ]
    return render(on_table(rng, frame, parts, Shot((0, 1.4, 0), 1.5, (0.85, 1.15), (3, 25))))
