"""Mushrooms on the forest floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import Scene, render
from sparkcore.samples.settings import foliage, outdoor
from sparkcore.samples.solids import blend, capsule, ellipsoid, moved, norm2, smoothstep
from sparkcore.samples.staging import Shot, spanned, stand, turned_light
from sparkcore.samples.surfaces import grass, leafy, tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

KINDS = (
    ((0.55, 0.36, 0.20), (0.86, 0.80, 0.68)),
    ((0.86, 0.80, 0.70), (0.90, 0.87, 0.80)),
    ((0.70, 0.50, 0.28), (0.88, 0.80, 0.64)),
    ((0.40, 0.25, 0.16), (0.76, 0.68, 0.56)),
)


@dataclass(frozen=True)
class Mushroom:
    """One mushroom: height of the dome, radius of the cap, length and radii of the stem, number of gills."""

    dome: float
    wide: float
    high: float
    stem_radii: tuple[float, float]
    gills: int
    cap: Floats
    stem: Floats
    lattice: Lattice

    def head(self, points: Floats) -> Floats:
        """Be the cap, hollow from below."""
        up = moved(points, (0, self.high, 0))
        outer = ellipsoid(up, (self.wide, self.dome, self.wide))
        wider = self.wide * 1.15
        hollow = ellipsoid(moved(up, (0, -self.dome * 0.55, 0)), (wider, self.dome * 0.62, wider))
        return np.maximum(np.maximum(outer, -hollow), -up[1] - self.dome * 0.35)

    def trunk(self, points: Floats) -> Floats:
        """Be the stem, a little bent."""
        bent = points.copy()
        bent[0] = points[0] - 0.06 * np.sin(points[1] * 1.8)
        return capsule(bent, (0, 0, 0), (0, self.high + 0.1 * self.dome, 0), self.stem_radii)

    def solid(self, points: Floats) -> Floats:
        """Be cap and stem."""
        return blend(self.head(points), self.trunk(points), 0.08) * np.float32(0.85)

    def fins(self, points: Floats) -> Floats:
        """Give the wave of the gills around the stem."""
        return np.sin(np.arctan2(points[2], points[0]) * self.gills)

    def under(self, points: Floats) -> NDArray[np.bool_]:
        """Tell where the cap's lower side is."""
        beside = norm2(points[0], points[2]) > self.stem_radii[1] * 1.4
        return beside & (points[1] > self.high - 0.45 * self.dome)

    def relief(self, points: Floats) -> Floats:
        """Raise the gills below the cap and roughen the skin."""
        below = smoothstep(0.02, -0.06, points[1] - self.high + 0.02)
        below = below * self.under(points)
        return 0.012 * self.fins(points) * below + 0.02 * self.lattice.fractal(points, 5.0)

    def paint(self, points: Floats) -> Material:
        """Color the cap darker in the middle, the stem darker at the foot."""
        out = norm2(points[0], points[2])
        above = smoothstep(-0.06, 0.02, points[1] - self.high + self.dome * 0.2)
        above = above * (self.head(points) < self.trunk(points))
        top = evenly(self.cap, points) * (1 - 0.35 * smoothstep(0.5 * self.wide, 0.0, out))
        low = evenly(self.stem, points) * (1 - 0.35 * smoothstep(0.3, -0.1, points[1]))
        low = low * np.where(self.under(points) & (points[1] < self.high + 0.1), 0.56 + 0.19 * self.fins(points), 1.0)
        stained = 0.7 + 0.6 * self.lattice.fractal(points, 3.5)
        return Material(mix(low, top, above) * stained, 0.4, 0.035, translucency=0.1)


def mushroom_part(rng: np.random.Generator, place: Floats, size: float, colors: tuple[Floats, Floats]) -> Part:
    """Make one mushroom of this size, leaning a little."""
    made = Mushroom(
        dome=float(rng.uniform(0.42, 0.75)),
        wide=float(rng.uniform(0.75, 1.05)),
        high=float(rng.uniform(0.9, 1.6)),
        stem_radii=(float(rng.uniform(0.24, 0.36)), float(rng.uniform(0.17, 0.25))),
        gills=int(rng.integers(50, 80)),
        cap=colors[0],
        stem=colors[1],
        lattice=Lattice.draw(rng),
    )
    lean = spin(rng.uniform(0, 6.28), rng.normal(0, 0.12), rng.normal(0, 0.12))
    top = made.high + made.dome + 0.1
    room = (made.wide + 0.1, top, made.wide + 0.1)
    return Part(made.solid, made.paint, top, place, lean, size, made.relief, bounds=room)


def mushroom(rng: np.random.Generator, frame: Frame) -> Floats:
    """Mushrooms among dead leaves, moss or grass."""
    cap, stem = KINDS[rng.integers(len(KINDS))]
    colors = (linear(tinted(rng, cap, 0.06)), linear(tinted(rng, stem, 0.04)))
    count = int(rng.choice([1, 1, 2, 3, 4, 5]))
    parts = [mushroom_part(rng, np.array([0, -0.1, 0], np.float32), 1.0, colors)]
    for number in range(1, count):
        out, angle = rng.uniform(1.0, 1.7), number * 2.1 + rng.uniform(-0.5, 0.5)
        place = np.array([out * np.cos(angle), -0.1, out * np.sin(angle)], np.float32)
        parts.append(mushroom_part(rng, place, float(rng.uniform(0.45, 0.9)), colors))
    return in_the_wood(rng, frame, parts, Shot((0, 0.8, 0), 1.15 + 0.18 * count, (0.85, 1.2), (3, 35)))


def in_the_wood(rng: np.random.Generator, frame: Frame, parts: list[Part], shot: Shot) -> Floats:
    """Stage small things on the forest floor."""
    view = stand(rng, frame, shot)
    floor = leafy(rng) if rng.random() < 0.7 else grass(rng)
    behind = foliage(rng, view.height, view.width) * np.float32(rng.uniform(0.4, 0.9))
    light = turned_light(outdoor(rng, (0.35, 0.30, 0.2)), view)
    span, aperture = shot.reach * float(rng.uniform(1.5, 2.5)), shot.reach * float(rng.uniform(0.06, 0.2))
    end = float(np.linalg.norm(view.eye - view.target)) + shot.reach * 6
    return render(Scene(view, parts, light, behind, spanned(floor, span), aperture, end))
