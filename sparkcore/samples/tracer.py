"""Rays: from the camera to the solids, and from the solids to the light (sphere tracing, Hart 1996)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sparkcore.samples.light import Material
from sparkcore.samples.noise import Floats
from sparkcore.samples.solids import Distance, length
from sparkcore.samples.view import View, rotate

Painter = Callable[[Floats], Material]
MARCH_STEPS = 40
APPROACH_STEPS = 16
SHADOW_STEPS = 12
BLOCK = 4
HIT_PX = 0.25


@dataclass(frozen=True)
class Part:
    """One solid with its own coordinates: world = center + scale * rotation @ local.

    It fits into a ball of `radius` around the local origin, and into a box of half sides `bounds` where given.
    `relief` is subtracted from the distance for normals only; `casts` weakens its shadow; `glass` is the tint of a
    clear part.
    """

    distance: Distance
    paint: Painter
    radius: float
    center: Floats
    rotation: Floats = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    scale: float = 1.0
    relief: Distance | None = None
    casts: float = 1.0
    glass: Floats | None = None
    bounds: tuple[float, float, float] | None = None

    @property
    def half(self) -> Floats:
        """Half sides of the box around the part, in its own coordinates."""
        return np.array(self.bounds or (self.radius,) * 3, np.float32)

    @property
    def reach(self) -> float:
        """Radius of the ball around the part, in the world."""
        return self.scale * (self.radius if self.bounds is None else float(np.linalg.norm(self.half)))

    def to_local(self, points: Floats) -> Floats:
        """Bring points of shape (3, n) from the world to the part."""
        return rotate(self.rotation.T / np.float32(self.scale), points - self.center[:, None])

    def normals(self, local: Floats) -> Floats:
        """Give unit normals in the world, from the distance (and the relief) at four corners around."""
        step = np.float32(0.0025 * self.radius)
        total = np.zeros_like(local)
        for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            offset = np.array(corner, np.float32)[:, None]
            near = local + offset * step
            value = self.distance(near)
            if self.relief is not None:
                value = value - self.relief(near)
            total += offset * value
        return rotate(self.rotation, total / np.maximum(length(total), 1e-12))


@dataclass(frozen=True)
class Hits:
    """Where rays met a part: flat pixel index, distance along the ray, coverage 0..1."""

    index: NDArray[np.intp]
    distance: Floats
    coverage: Floats


def window(view: View, part: Part) -> tuple[slice, slice]:
    """Give the rows and columns that may see the part."""
    column, row, depth = view.project(part.center[:, None])[:, 0]
    reach = part.reach
    if depth + reach <= 0:
        return slice(0, 0), slice(0, 0)
    if depth < reach * 1.05:
        return slice(0, view.height), slice(0, view.width)
    # A sphere off the axis projects to an ellipse that is wider than in the middle.
    slant = float(np.hypot(column - view.width / 2, row - view.height / 2)) / view.focal
    pixels = view.focal * reach / np.sqrt(depth**2 - reach**2) * np.sqrt(1 + slant**2) * (1 + 0.3 * slant) + 2
    rows = slice(max(0, int(row - pixels)), max(0, min(view.height, int(row + pixels) + 1)))
    return rows, slice(max(0, int(column - pixels)), max(0, min(view.width, int(column + pixels) + 1)))


def box_span(origin: Floats, rays: Floats, half: Floats) -> tuple[Floats, Floats]:
    """Intersect rays with a box around 0: gives the entry and the exit; a miss leaves before it enters."""
    safe = np.where(np.abs(rays) < 1e-6, np.float32(1e-6), rays)
    center, spread = -origin / safe, half[:, None] / np.abs(safe)
    first, last = center - spread, center + spread
    entry = np.maximum(np.maximum(first[0], first[1]), first[2])
    leave = np.minimum(np.minimum(last[0], last[1]), last[2])
    return np.maximum(entry, 0.0), leave


def meet(view: View, rays: Floats, part: Part) -> Hits:
    """March the camera's rays (3, height, width) to the part: a coarse bundle of rays first, then each ray."""
    rows, columns = window(view, part)
    origin = part.to_local(view.eye[:, None])
    index = (np.arange(rows.start, rows.stop)[:, None] * view.width + np.arange(columns.start, columns.stop)).reshape(
        -1
    )
    if not index.size:
        return Hits(index, np.empty(0, np.float32), np.empty(0, np.float32))
    start = approach(view, part, origin, rays[:, rows, columns]).reshape(-1)
    near = np.flatnonzero(np.isfinite(start))
    local = rotate(part.rotation.T, rays.reshape(3, -1)[:, index[near]])
    entry, leave = box_span(origin, local, part.half)
    hit, at, nearest = march(part, origin, local, (np.maximum(entry, start[near]), leave), 1.0 / view.focal)
    coverage = np.clip(1.25 - nearest, 0.0, 1.0)
    seen = coverage > 0.02
    return Hits(index[near[hit[seen]]], at[seen] * np.float32(part.scale), coverage[seen])


def approach(view: View, part: Part, origin: Floats, rays: Floats) -> Floats:
    """March one ray for each block of pixels until its bundle may touch the part; inf where it never does."""
    height, width = rays.shape[1:]
    rows = np.minimum(np.arange(BLOCK // 2, height + BLOCK - 1, BLOCK)[: -(-height // BLOCK)], height - 1)
    columns = np.minimum(np.arange(BLOCK // 2, width + BLOCK - 1, BLOCK)[: -(-width // BLOCK)], width - 1)
    coarse = rays[:, rows[:, None], columns[None, :]]
    shape = coarse.shape[1:]
    local = rotate(part.rotation.T, coarse.reshape(3, -1))
    # A bundle is as wide as the diagonal of its block, and a little more for the last block of a row.
    spread = np.float32(1.1 * BLOCK / view.focal)
    entry, leave = box_span(origin, local, part.half + spread * np.float32(np.linalg.norm(origin)))
    result = np.full(entry.shape, np.inf, np.float32)
    index = np.flatnonzero(entry < leave)
    ray, at, leave = local[:, index], entry[index], leave[index]
    for _ in range(APPROACH_STEPS):
        if not index.size:
            break
        gap = part.distance(origin + ray * at) - at * spread
        touched = gap <= 0.1 * at * spread
        result[index[touched]] = at[touched]
        at = at + gap * np.float32(0.95)
        active = ~touched & (at < leave)
        index, ray, at, leave = index[active], ray[:, active], at[active], leave[active]
    # Bundles that ran out of steps may still touch it.
    result[index] = at
    return np.repeat(np.repeat(result.reshape(shape), BLOCK, axis=0), BLOCK, axis=1)[:height, :width]


def march(
    part: Part, origin: Floats, local: Floats, span: tuple[Floats, Floats], pixel: float
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """March rays through the part: gives those that came near, where they were nearest, and how near in pixels."""
    index = np.flatnonzero(span[0] < span[1])
    ray, at, leave = local[:, index], span[0][index], span[1][index]
    nearest, nearest_at = np.full(span[0].shape, np.inf, np.float32), span[0].copy()
    best, best_at = nearest[index], at.copy()
    for _ in range(MARCH_STEPS):
        if not index.size:
            break
        gap = part.distance(origin + ray * at)
        ratio = gap / np.maximum(at * np.float32(pixel), 1e-9)
        closer = ratio < best
        best, best_at = np.where(closer, ratio, best), np.where(closer, at, best_at)
        at = at + gap * np.float32(0.97)
        active = (ratio > HIT_PX) & (at < leave)
        # Dropping finished rays costs a copy, so it waits until it is worth it.
        if np.count_nonzero(active) < 0.8 * index.size:
            nearest[index], nearest_at[index] = best, best_at
            index, ray, at, leave = index[active], ray[:, active], at[active], leave[active]
            best, best_at = best[active], best_at[active]
    nearest[index], nearest_at[index] = best, best_at
    near = np.flatnonzero(nearest < 1.25)
    return near, nearest_at[near], nearest[near]


def visibility(points: Floats, towards: Floats, parts: Sequence[Part], sharpness: float) -> Floats:
    """Tell how much of the light reaches each point: 0 in full shadow, 1 in the open."""
    clear = np.ones(points.shape[1], np.float32)
    for part in parts:
        if part.casts <= 0.0:
            continue
        origin = part.to_local(points)
        ray = (part.rotation.T @ towards)[:, None]
        # Soft shadows begin outside the box, so it is grown a little.
        entry, leave = box_span(origin, ray, part.half + np.float32(0.12 * part.radius))
        near = np.flatnonzero((entry < leave) & (leave > 0))
        if near.size:
            shade = shadow_of(part, origin[:, near], ray, (entry[near], leave[near]), sharpness)
            clear[near] = np.minimum(clear[near], 1.0 - part.casts * (1.0 - shade))
    return clear


def shadow_of(part: Part, origin: Floats, ray: Floats, span: tuple[Floats, Floats], sharpness: float) -> Floats:
    """Give the soft shadow of one part on points in the part's coordinates."""
    first = np.float32(0.02 * part.radius)
    index, leave, start = np.arange(span[0].size), span[1], origin
    at = np.maximum(span[0], first)
    light, result = np.ones(at.shape, np.float32), np.ones(at.shape, np.float32)
    for _ in range(SHADOW_STEPS):
        if not index.size:
            break
        gap = part.distance(start + ray * at)
        light = np.minimum(light, np.clip(sharpness * gap / np.maximum(at, first) + 0.1, 0.0, 1.0))
        at = at + np.maximum(gap, 0.03 * part.radius)
        active = (light > 0.01) & (at < leave)
        if np.count_nonzero(active) < 0.8 * index.size:
            result[index] = light
            index, start, at, leave, light = index[active], start[:, active], at[active], leave[active], light[active]
    result[index] = light
    return result


def openness(points: Floats, normals: Floats, parts: Sequence[Part]) -> Floats:
    """Give ambient visibility in 0..1: how little the parts near a point hide of the sky."""
    clear = np.ones(points.shape[1], np.float32)
    for part in parts:
        local = part.to_local(points)
        near = np.flatnonzero((np.abs(local) < part.half[:, None] + np.float32(0.35 * part.radius)).all(axis=0))
        if not near.size:
            continue
        normal = rotate(part.rotation.T, normals[:, near])
        hidden = np.zeros(near.size, np.float32)
        for reach, weight in ((0.1, 0.35), (0.35, 0.4)):
            step = np.float32(reach * part.radius)
            gap = part.distance(local[:, near] + normal * step)
            hidden += weight * np.clip(1.0 - gap / step, 0.0, 1.0)
        clear[near] *= 1.0 - hidden
    return clear
