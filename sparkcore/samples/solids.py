"""Signed distance functions of solids: negative inside, positive outside, for points of shape (3, n)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from sparkcore.samples.noise import Floats

Distance = Callable[[Floats], Floats]


def length(points: Floats) -> Floats:
    """Give the Euclidean norm of each column."""
    return np.sqrt(np.einsum("ij,ij->j", points, points))


def dot(vector: Sequence[float] | Floats, points: Floats) -> Floats:
    """Give the scalar product of one vector with each column; BLAS's threads would fight the process pool."""
    x, y, z = (np.float32(part) for part in vector)
    return x * points[0] + y * points[1] + z * points[2]


def norm2(x: Floats, y: Floats) -> Floats:
    """Give the Euclidean norm of pairs."""
    return np.sqrt(x * x + y * y)


def moved(points: Floats, offset: Sequence[float]) -> Floats:
    """Give points as seen from `offset`: a solid of them is drawn there."""
    return points - np.asarray(offset, np.float32)[:, None]


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """Rise smoothly from 0 at `low` to 1 at `high` (which may be the smaller one)."""
    part = np.clip((value - low) / (high - low), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)


def ellipsoid(points: Floats, radii: Sequence[float]) -> Floats:
    """Give the (first order) distance to an ellipsoid with these three radii."""
    scale = np.asarray(radii, np.float32)[:, None]
    inner = length(points / scale)
    outer = length(points / (scale * scale))
    return inner * (inner - 1.0) / np.maximum(outer, 1e-6)


def box(points: Floats, half: Sequence[float], radius: float = 0.0) -> Floats:
    """Give the distance to a box with these half sides, its edges rounded by `radius`."""
    x, y, z = np.abs(points) - (np.asarray(half, np.float32)[:, None] - np.float32(radius))
    outside = np.sqrt(np.maximum(x, 0) ** 2 + np.maximum(y, 0) ** 2 + np.maximum(z, 0) ** 2)
    return outside + np.minimum(np.maximum(x, np.maximum(y, z)), 0.0) - np.float32(radius)


def cylinder(points: Floats, radius: float, half_height: float, edge: float = 0.0) -> Floats:
    """Give the distance to an upright cylinder, its edges rounded by `edge`."""
    x, y, z = points
    side = norm2(x, z) - np.float32(radius - edge)
    cap = np.abs(y) - np.float32(half_height - edge)
    outside = norm2(np.maximum(side, 0), np.maximum(cap, 0))
    return outside + np.minimum(np.maximum(side, cap), 0.0) - np.float32(edge)


def capsule(points: Floats, start: Sequence[float], end: Sequence[float], radii: tuple[float, float]) -> Floats:
    """Give the distance to a rod from `start` to `end` whose radius changes from radii[0] to radii[1]."""
    origin = np.asarray(start, np.float32)[:, None]
    axis = np.asarray(end, np.float32)[:, None] - origin
    near = points - origin
    along = np.clip(dot(axis[:, 0], near) / np.float32((axis * axis).sum()), 0.0, 1.0)
    return length(near - axis * along) - (radii[0] + (radii[1] - radii[0]) * along)


def torus(points: Floats, ring: float, tube: float) -> Floats:
    """Give the distance to a flat-lying torus."""
    x, y, z = points
    return norm2(norm2(x, z) - np.float32(ring), y) - np.float32(tube)


def polyline(x: Floats, y: Floats, corners: Sequence[tuple[float, float]]) -> Floats:
    """Give the unsigned distance to an open line through `corners` in the plane."""
    best = np.full(x.shape, np.inf, np.float32)
    for (x0, y0), (x1, y1) in pairwise(corners):
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy + 1e-12), 0.0, 1.0)
        best = np.minimum(best, norm2(x - x0 - dx * along, y - y0 - dy * along))
    return best


def polygon(x: Floats, y: Floats, corners: Sequence[tuple[float, float]]) -> Floats:
    """Give the signed distance to a closed polygon in the plane."""
    closed = [*corners, corners[0]]
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in pairwise(closed):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.where(inside, -1.0, 1.0).astype(np.float32) * polyline(x, y, closed)


def shell(points: Floats, profile: Sequence[tuple[float, float]], thickness: float) -> Floats:
    """Turn a thin wall on a lathe along `profile`, a list of (radius, height)."""
    return polyline(norm2(points[0], points[2]), points[1], profile) - np.float32(thickness)


def blend(first: Floats, second: Floats, width: float) -> Floats:
    """Join two solids with a smooth seam of this width."""
    part = np.clip(0.5 + 0.5 * (second - first) / width, 0.0, 1.0)
    return second + (first - second) * part - width * part * (1.0 - part)
