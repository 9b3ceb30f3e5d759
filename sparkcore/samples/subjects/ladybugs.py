"""Ladybugs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear, mix, solid
from sparkcore.samples.noise import Floats, Lattice, spectral
from sparkcore.samples.scene import Scene, render
from sparkcore.samples.settings import foliage, outdoor
from sparkcore.samples.solids import capsule, ellipsoid, moved, norm2, smoothstep
from sparkcore.samples.staging import Shot, stand, turned_light
from sparkcore.samples.subjects.materials import even
from sparkcore.samples.surfaces import SIZE, Texture, ramp, tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

REDS = ((0.84, 0.15, 0.05), (0.90, 0.24, 0.05), (0.92, 0.30, 0.06))
BLACK = (0.008, 0.007, 0.007)
# Spots of one wing case: across, along, size. Seven-spot and many-spotted kinds.
SPOTS = (
    ((0.28, 0.45, 0.115), (0.60, 0.05, 0.115), (0.32, -0.38, 0.12)),
    ((0.24, 0.50, 0.10), (0.62, 0.28, 0.10), (0.30, 0.05, 0.105), (0.60, -0.22, 0.10), (0.28, -0.50, 0.10)),
    (
        (0.20, 0.62, 0.10),
        (0.50, 0.50, 0.10),
        (0.72, 0.20, 0.10),
        (0.30, 0.25, 0.10),
        (0.62, -0.20, 0.10),
        (0.25, -0.15, 0.10),
        (0.40, -0.50, 0.10),
        (0.15, -0.65, 0.10),
    ),
)


def leaf_floor(rng: np.random.Generator) -> Texture:
    """Draw a leaf's surface with parallel or branching veins."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    middle = np.abs(columns - 0.5)
    side = np.abs(np.mod((rows + middle * 0.8) * 6, 1) - 0.5) * 2
    vein = np.maximum(smoothstep(0.02, 0.006, middle), 0.7 * smoothstep(0.10, 0.03, side))
    field = np.clip(0.5 * spectral(rng, SIZE, 1.2) + 0.3 * spectral(rng, SIZE, 0.5) + 0.2, 0, 1)
    dry = rng.uniform(0, 0.15)
    picture = ramp(field, ((0.14 + dry, 0.30, 0.06), (0.32 + dry, 0.52, 0.14), (0.52 + dry, 0.68, 0.28)))
    picture = picture + (linear((0.62, 0.74, 0.40)) - picture) * (vein * 0.25)[:, :, None].astype(np.float32)
    return Texture.build(picture, 7.0, rng, 0.35)


@dataclass(frozen=True)
class Ladybug:
    """One ladybug, its head towards +z: color, spots of one wing case and how large they are."""

    red: Floats
    spots: tuple[tuple[float, float, float], ...]
    grow: float
    lattice: Lattice

    def shell(self, points: Floats) -> Floats:
        """Be the dome of the wing cases."""
        return np.maximum(ellipsoid(moved(points, (0, 0.12, 0)), (0.86, 0.80, 1.0)), 0.10 - points[1])

    def seam(self, points: Floats) -> Floats:
        """Sink the line between the wing cases."""
        return -0.03 * smoothstep(0.03, 0.0, np.abs(points[0])) * (points[1] > 0)

    def shell_paint(self, points: Floats) -> Material:
        """Color the wing cases, both alike."""
        x, z = np.abs(points[0]), points[2]
        dark = smoothstep(0.022, 0.012, x)
        for across, along, size in (*self.spots, (0.0, 0.82, 0.13)):
            edge = size * self.grow
            dark = np.maximum(dark, smoothstep(edge, edge - 0.03, norm2(x - across, z - along)))
        albedo = evenly(self.red, points) * (0.85 + 0.3 * self.lattice.at(points, 3.0))
        return Material(mix(albedo, BLACK, dark), 0.78, 0.05)

    def head(self, points: Floats) -> Floats:
        """Be the neck shield and the head."""
        neck = ellipsoid(moved(points, (0, 0.22, 0.92)), (0.56, 0.38, 0.28))
        return np.minimum(neck, ellipsoid(moved(points, (0, 0.16, 1.10)), (0.28, 0.22, 0.17)))

    def head_paint(self, points: Floats) -> Material:
        """Color them black with white patches."""
        x, z = np.abs(points[0]), points[2]
        white = smoothstep(0.18, 0.13, norm2(x - 0.40, z - 0.98))
        white = np.maximum(white, smoothstep(0.08, 0.05, norm2(x - 0.14, z - 1.2)))
        return Material(mix(solid((0.05, 0.05, 0.05), points.shape[1]), (0.8, 0.78, 0.7), white), 0.7, 0.05)

    def legs(self, points: Floats) -> Floats:
        """Be six short legs and two feelers."""
        side = points.copy()
        side[0] = np.abs(points[0])
        best = capsule(side, (0.13, 0.16, 1.2), (0.27, 0.2, 1.40), (0.018, 0.03))
        for z, sweep in ((0.55, 0.35), (0.05, 0.0), (-0.45, -0.35)):
            knee = (0.86, 0.10, z + sweep * 0.5)
            best = np.minimum(best, capsule(side, (0.6, 0.08, z), knee, (0.05, 0.035)))
            best = np.minimum(best, capsule(side, knee, (1.00, -0.03, z + sweep * 0.8), (0.035, 0.02)))
        return best


def ladybug(rng: np.random.Generator, frame: Frame) -> Floats:
    """A ladybug on a leaf."""
    red = linear(tinted(rng, REDS[rng.integers(len(REDS))], 0.04))
    bug = Ladybug(red, SPOTS[rng.integers(len(SPOTS))], float(rng.uniform(0.85, 1.1)), Lattice.draw(rng))
    pose, center = spin(rng.uniform(0, 6.28)), np.array([0, 0.03, 0], np.float32)
    legs = even(linear((0.07, 0.06, 0.05)))
    parts = [
        Part(bug.shell, bug.shell_paint, 1.02, center, pose, 1.0, bug.seam),
        Part(bug.head, bug.head_paint, 1.4, center, pose, bounds=(0.6, 0.6, 1.4)),
        Part(bug.legs, legs, 1.7, center, pose, bounds=(1.1, 0.3, 1.45)),
    ]
    return on_leaf(rng, frame, parts, Shot((0, 0.3, 0), 1.35, (0.45, 0.95), (18, 60)))


def on_leaf(rng: np.random.Generator, frame: Frame, parts: list[Part], shot: Shot) -> Floats:
    """Stage an insect on a leaf before blurred greenery."""
    view = stand(rng, frame, shot)
    distance = float(np.linalg.norm(view.eye - view.target))
    behind = foliage(rng, view.height, view.width)
    light = turned_light(outdoor(rng, (0.35, 0.5, 0.2)), view)
    aperture = shot.reach * float(rng.uniform(0.08, 0.25))
    return render(Scene(view, parts, light, behind, leaf_floor(rng).floor, aperture, distance + 7.0))
