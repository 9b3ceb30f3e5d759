"""Landscapes: a height map seen in perspective, colored by slope and height, under haze."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparkcore.samples.noise import Floats

Cover = Callable[["Ground"], Floats]


@dataclass(frozen=True)
class HeightMap:
    """Heights on a square grid; `side` is its length in world units, and it lies in front of the camera."""

    heights: Floats
    side: float
    near: float

    def at(self, x: Floats, z: Floats, field: Floats | None = None) -> Floats:
        """Sample the heights (or another field on the same grid) at world positions."""
        values = self.heights if field is None else field
        size = values.shape[0] - 1
        column = np.clip((x / self.side + 0.5) * size, 0, size - 1.001)
        row = np.clip((z - self.near) / self.side * size, 0, size - 1.001)
        i, j = row.astype(np.int32), column.astype(np.int32)
        fy, fx = row - i, column - j
        flat, stride = values.reshape(-1), size + 1
        corner = i * stride + j
        top = flat[corner] * (1 - fx) + flat[corner + 1] * fx
        low = flat[corner + stride] * (1 - fx) + flat[corner + stride + 1] * fx
        return top * (1 - fy) + low * fy

    def slopes(self) -> tuple[Floats, Floats]:
        """Give the rise per unit along x and z."""
        cell = self.side / (self.heights.shape[0] - 1)
        along_x: Floats = np.gradient(self.heights, cell, axis=1)
        along_z: Floats = np.gradient(self.heights, cell, axis=0)
        return along_x, along_z


@dataclass(frozen=True)
class Lookout:
    """A level camera: eye height, field of view, and the row of the horizon in picture heights."""

    height: int
    width: int
    eye: float
    field_deg: float
    horizon: float

    @property
    def focal(self) -> float:
        """Focal length in pixels, for the longer side."""
        return 0.5 * max(self.height, self.width) / float(np.tan(np.radians(self.field_deg) / 2))


@dataclass(frozen=True)
class Ground:
    """Visible land: world position, height, unit normal (3, n), distance, and the pixels (flat) it fills."""

    x: Floats
    z: Floats
    height: Floats
    normal: Floats
    distance: Floats
    pixels: NDArray[np.intp]


def survey(land: HeightMap, look: Lookout, steps: int = 260) -> Ground:
    """Find what each pixel sees: walk away from the camera along every column at once."""
    slant = ((np.arange(look.width, dtype=np.float32) + 0.5 - look.width / 2) / look.focal)[None, :]
    depth = np.geomspace(land.near, land.near + land.side * 0.98, steps).astype(np.float32)[:, None]
    heights = land.at(slant * depth, np.broadcast_to(depth, (steps, look.width)))
    rows = look.horizon * look.height - look.focal * (heights - look.eye) / depth
    skyline = np.minimum.accumulate(rows, axis=0)
    wanted = np.arange(look.height, dtype=np.float32) + 0.5
    first = np.stack([first_seen(-line, wanted) for line in skyline.T], axis=1)
    pixels = np.flatnonzero(np.isfinite(first.reshape(-1)))
    z = np.interp(first.reshape(-1)[pixels], np.arange(steps), depth[:, 0]).astype(np.float32)
    x = slant[0][pixels % look.width] * z
    along_x, along_z = land.slopes()
    normal = np.stack([-land.at(x, z, along_x), np.ones_like(x), -land.at(x, z, along_z)])
    normal /= np.sqrt((normal**2).sum(axis=0))
    return Ground(x, z, land.at(x, z), normal, z, pixels)


def first_seen(skyline: Floats, wanted: Floats) -> Floats:
    """Find the step, with its fraction, at which one column's rising skyline reaches the wanted rows; inf if never."""
    last = len(skyline) - 1
    step = np.searchsorted(skyline, -wanted)
    before, after = np.clip(step - 1, 0, last), np.clip(step, 0, last)
    rise = np.maximum(skyline[after] - skyline[before], 1e-6)
    part = np.clip((-wanted - skyline[before]) / rise, 0.0, 1.0)
    return np.where(step > last, np.inf, before + part)


def shadowed(land: HeightMap, towards: Floats, steps: int = 40) -> Floats:
    """Give for every cell of the map how much of the sun it sees, 0..1."""
    size = land.heights.shape[0]
    cell = land.side / (size - 1)
    clear = np.ones_like(land.heights)
    flat = np.hypot(towards[0], towards[2]) + 1e-6
    reach = float(land.heights.max() - land.heights.min()) / max(float(towards[1]), 0.05) * flat
    for step in range(1, steps + 1):
        distance = reach * (step / steps) ** 1.5
        dx, dz = (round(distance * towards[axis] / flat / cell) for axis in (0, 2))
        if abs(dx) >= size or abs(dz) >= size:
            break
        other = np.roll(land.heights, (-dz, -dx), axis=(0, 1))
        line = land.heights + distance / flat * towards[1]
        clear = np.minimum(clear, np.clip(0.6 + (line - other) / (0.02 * land.side), 0.0, 1.0))
    return clear


def haze(color: Floats, distance: Floats, air: Floats, thickness: float) -> Floats:
    """Mix colors (3, n) with the air's light by distance."""
    part = 1.0 - np.exp(-distance * thickness)
    return color + (air[:, None] - color) * part
