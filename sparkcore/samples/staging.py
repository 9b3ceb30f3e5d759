"""Stage a scene: arrange things, stand the camera, choose the ground and what is behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Light
from sparkcore.samples.noise import Floats
from sparkcore.samples.scene import Flooring, Scene
from sparkcore.samples.settings import backdrop, indoor, outdoor, scenery, sky
from sparkcore.samples.surfaces import Texture, grass, table
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import View

Pick = Callable[[np.random.Generator], Texture]


@dataclass(frozen=True)
class Shot:
    """How a group of things is looked at.

    `middle` is the point looked at, `reach` the radius of the group around it, `fill` the share of the shorter side
    that the group takes, `elevation_deg` and `turn_deg` the ranges of the camera's position.
    """

    middle: tuple[float, float, float]
    reach: float
    fill: tuple[float, float] = (0.6, 0.95)
    elevation_deg: tuple[float, float] = (12.0, 50.0)
    turn_deg: tuple[float, float] = (-180.0, 180.0)
    field_deg: tuple[float, float] = (24.0, 42.0)
    blur: tuple[float, float] = (0.0, 0.09)


def stand(rng: np.random.Generator, frame: Frame, shot: Shot) -> View:
    """Place the camera."""
    field = float(rng.uniform(*shot.field_deg))
    shorter = min(frame.working_height, frame.working_width) / max(frame.working_height, frame.working_width)
    angle = np.tan(np.radians(field) / 2) * shorter * rng.uniform(*shot.fill)
    distance = shot.reach / np.sin(np.arctan(angle))
    up, turn = np.radians(rng.uniform(*shot.elevation_deg)), np.radians(rng.uniform(*shot.turn_deg))
    toward = np.array([np.cos(up) * np.sin(turn), np.sin(up), -np.cos(up) * np.cos(turn)], np.float32)
    off = rng.normal(0.0, 0.10, 3).astype(np.float32) * np.float32(shot.reach)
    target = np.asarray(shot.middle, np.float32) + off * np.array([1, 0.5, 1], np.float32)
    eye = target + toward * np.float32(distance)
    eye[1] = max(float(eye[1]), 0.05 * shot.reach)
    return View(frame.working_height, frame.working_width, eye, target, field, float(rng.normal(0.0, 0.03)))


def turned_light(light: Light, view: View) -> Light:
    """Turn a light that was drawn for a camera looking along +z to where this camera looks."""
    forward = view.target - view.eye
    angle = np.arctan2(forward[0], forward[2])
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))

    def turn(vector: Floats) -> Floats:
        x, y, z = vector
        return np.array([c * x + s * z, y, -s * x + c * z], np.float32)

    # The draw has the light's z away from the camera; in front of the subject is towards the camera.
    panes = tuple((turn(towards), size, strength) for towards, size, strength in light.panes)
    return replace(light, towards=turn(light.towards), panes=panes)


def on_table(rng: np.random.Generator, frame: Frame, parts: Sequence[Part], shot: Shot, ground: Pick = table) -> Scene:
    """Stage things indoors on a table, before a blurred room or window."""
    view = stand(rng, frame, shot)
    texture = ground(rng)
    floor = spanned(texture, shot.reach * float(rng.uniform(2.5, 5.0)))
    behind = backdrop(rng, view.height, view.width)
    distance = float(np.linalg.norm(view.eye - view.target))
    return Scene(
        view,
        list(parts),
        turned_light(indoor(rng), view),
        behind,
        floor,
        shot.reach * float(rng.uniform(*shot.blur)),
        distance + shot.reach * float(rng.uniform(4, 14)),
    )


def in_the_open(
    rng: np.random.Generator, frame: Frame, parts: Sequence[Part], shot: Shot, ground: Pick | None = grass
) -> Scene:
    """Stage things outdoors under a sky."""
    view = replace(stand(rng, frame, shot), roll=0.0)
    floor = None if ground is None else spanned(ground(rng), shot.reach * 2.5)
    row = horizon(view)
    behind = sky(rng, view.height, view.width, float(np.clip(row / view.height, 0.2, 1.2)))
    scenery(rng, behind, row)
    return Scene(
        view,
        list(parts),
        turned_light(outdoor(rng), view),
        behind,
        floor,
        shot.reach * float(rng.uniform(*shot.blur)),
        shot.reach * 400.0,
    )


def horizon(view: View) -> float:
    """Give the row of the horizon, which may be outside the picture."""
    ahead = view.target - view.eye
    far = view.eye + np.array([ahead[0], 0.0, ahead[2]], np.float32) * 1000
    return float(view.project(far[:, None])[1, 0])


def spanned(texture: Texture, span: float) -> Flooring:
    """Lay a texture so that it repeats every `span` units."""
    return replace(texture, span=span).floor


def heap(rng: np.random.Generator, count: int, radius: float, spread: float = 0.12) -> list[tuple[Floats, float]]:
    """Drop balls near each other: gives centers and radii; each lies on the ground or on others."""
    placed: list[tuple[Floats, float]] = []
    area = radius * (0.3 + 1.05 * np.sqrt(count))
    for _ in range(count):
        size = radius * float(rng.normal(1.0, spread))
        best: Floats | None = None
        for _ in range(14):
            x, z = rng.normal(0.0, area * 0.5, 2)
            y = size
            for center, other in placed:
                gap = (size + other) ** 2 - (x - center[0]) ** 2 - (z - center[2]) ** 2
                if gap > 0:
                    y = max(y, float(center[1] + np.sqrt(gap)))
            if best is None or y < best[1]:
                best = np.array([x, y, z], np.float32)
        assert best is not None
        placed.append((best, size))
    return placed


def extent(placed: Sequence[tuple[Floats, float]]) -> tuple[tuple[float, float, float], float]:
    """Give the middle and the radius of a group of balls."""
    centers = np.stack([center for center, _ in placed])
    middle = centers.mean(axis=0)
    reach = max(float(np.linalg.norm(center - middle)) + size for center, size in placed)
    return (float(middle[0]), float(middle[1]), float(middle[2])), reach
