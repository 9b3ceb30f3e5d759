"""Computer keyboards: rows of keys of different widths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, evenly, linear
from sparkcore.samples.noise import Floats, Lattice
from sparkcore.samples.scene import render
from sparkcore.samples.solids import box, moved
from sparkcore.samples.staging import Shot, on_table
from sparkcore.samples.subjects.materials import even
from sparkcore.samples.surfaces import tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin

# Widths of the keys of each row, from the space bar's row up; gaps are negative.
LETTERS = (
    (1.25, 1.25, 1.25, 6.25, 1.25, 1.25, 1.25, 1.25),
    (2.25, *(1.0,) * 10, 2.75),
    (1.75, *(1.0,) * 11, 2.25),
    (1.5, *(1.0,) * 12, 1.5),
    (*(1.0,) * 13, 2.0),
    (1.0, -1.0, *(1.0,) * 4, -0.5, *(1.0,) * 4, -0.5, *(1.0,) * 4),
)
ARROWS = ((1.0, 1.0, 1.0), (-1.0, 1.0, -1.0), (-3.0,), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
DIGITS = ((2.0, 1.0, 1.0), (1.0,) * 4, (1.0,) * 4, (1.0,) * 4, (1.0,) * 4, (-4.0,))
BINS_PER_KEY = 4
HALF_DEPTH = 3.2
GLYPH = 0.055
COLORS = (
    ((0.78, 0.76, 0.70), (0.88, 0.86, 0.80)),
    ((0.10, 0.10, 0.11), (0.15, 0.15, 0.16)),
    ((0.12, 0.12, 0.13), (0.17, 0.17, 0.18)),
    ((0.72, 0.73, 0.75), (0.93, 0.93, 0.93)),
)


def nearest_keys(widths: tuple[float, ...], total: float) -> tuple[Floats, Floats]:
    """Give center and half width of the key nearest to each quarter unit of a row."""
    edges = np.cumsum([0.0, *(abs(width) for width in widths)])
    real = np.array(widths) > 0
    centers, halves = ((edges[:-1] + edges[1:]) / 2)[real], (np.diff(edges) / 2)[real]
    spots = (np.arange(int(total * BINS_PER_KEY)) + 0.5) / BINS_PER_KEY
    nearest = (np.abs(spots[:, None] - centers) - halves).argmin(axis=1)
    return centers[nearest].astype(np.float32), halves[nearest].astype(np.float32)


@dataclass(frozen=True)
class Keyboard:
    """One keyboard: its keys row by row, their height and colors, and the marks printed on them."""

    centers: Floats
    halves: Floats
    top: float
    key: Floats
    legend: Floats
    marks: NDArray[np.bool_]
    lattice: Lattice

    @property
    def half_width(self) -> float:
        """Half the width of all keys."""
        return self.centers.shape[1] / BINS_PER_KEY / 2

    def cell(self, points: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.int8]]:
        """Give the place on the nearest key (across, along), its half width and its row."""
        z = points[2] + np.float32(HALF_DEPTH)
        row = np.clip(np.where(z > 5.2, 5.0, np.floor(z)), 0, 5).astype(np.int8)
        across = points[0] + np.float32(self.half_width)
        spot = np.clip(across * BINS_PER_KEY, 0, self.centers.shape[1] - 1).astype(np.int16)
        along = z - row - np.where(row == 5, np.float32(0.9), np.float32(0.5))
        return across - self.centers[row, spot], along, self.halves[row, spot], row

    def keys(self, points: Floats) -> Floats:
        """Be the keys, which narrow towards their tops."""
        x, z, half, _ = self.cell(points)
        inset = 0.11 + 0.13 * np.clip(points[1] / self.top, 0, 1)
        out_x = np.maximum(np.abs(x) - half + inset, 0)
        out_z = np.maximum(np.abs(z) - 0.5 + inset, 0)
        out_y = np.maximum(np.abs(points[1] - self.top / 2) - self.top / 2 + 0.06, 0)
        return (np.sqrt(out_x**2 + out_z**2 + out_y**2) - np.float32(0.06)) * np.float32(0.9)

    def key_paint(self, points: Floats) -> Material:
        """Print a small mark into the corner of each key."""
        x, z, half, row = self.cell(points)
        i = np.floor((z + 0.02) / GLYPH).astype(np.int32)
        j = np.floor((x + half - 0.26) / GLYPH).astype(np.int32)
        inside = (i >= 0) & (i < 5) & (j >= 0) & (j < 3) & (points[1] > self.top * 0.8) & (half < 2)
        key = np.mod(np.rint((points[0] - x) * 4).astype(np.int32), self.marks.shape[1])
        albedo = evenly(self.key, points)
        albedo[:, inside & self.marks[row, key, np.clip(i, 0, 4), np.clip(j, 0, 2)]] = self.legend[:, None]
        return Material(albedo * (0.88 + 0.24 * self.lattice.fractal(points, 1.5)), 0.35, 0.04)

    def base(self, points: Floats) -> Floats:
        """Be the case below the keys."""
        return box(moved(points, (0, -0.12, 0)), (self.half_width + 0.45, 0.22, HALF_DEPTH + 0.4), 0.15)


def draw_keyboard(rng: np.random.Generator, key: Floats) -> Keyboard:
    """Draw a compact or a full keyboard with keys of this linear color."""
    full = rng.random() < 0.6
    rows = []
    for letters, arrows, digits in zip(LETTERS, ARROWS, DIGITS, strict=True):
        widths = (*letters, -0.5, *arrows, -0.5, *digits) if full else letters
        rows.append(nearest_keys(widths, 23.0 if full else 15.0))
    centers, halves = (np.stack(column) for column in zip(*rows, strict=True))
    legend = linear((0.15, 0.15, 0.16) if key.mean() > 0.3 else (0.82, 0.82, 0.82))
    marks = rng.random((6, 97, 5, 3)) < 0.6
    return Keyboard(centers, halves, float(rng.uniform(0.22, 0.5)), key, legend, marks, Lattice.draw(rng))


def computer_keyboard(rng: np.random.Generator, frame: Frame) -> Floats:
    """A keyboard on a desk."""
    body, key = (linear(tinted(rng, color, 0.03)) for color in COLORS[rng.integers(len(COLORS))])
    made = draw_keyboard(rng, key)
    wide = made.half_width
    center, tilt = np.array([0, 0.34, 0], np.float32), spin(0.0, float(rng.uniform(-0.12, 0.0)))
    parts = [
        Part(made.base, even(body), 2.0, center, tilt, bounds=(wide + 0.5, 0.4, HALF_DEPTH + 0.45)),
        Part(made.keys, made.key_paint, 2.0, center, tilt, bounds=(wide, made.top + 0.05, HALF_DEPTH)),
    ]
    aim = float(rng.uniform(-0.4, 0.4)) * wide
    shot = Shot((aim, 0.4, 0), wide * float(rng.uniform(0.45, 0.95)), (0.9, 1.3), (25, 75), (-45, 45))
    return render(on_table(rng, frame, parts, shot))
