"""A scene: solids on a ground before a backdrop, under a light, seen by a camera; rendered to linear RGB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparkcore.samples.light import Geometry, Light, Material, shade
from sparkcore.samples.noise import Floats, resize_field
from sparkcore.samples.optics import blur_by_depth
from sparkcore.samples.solids import dot
from sparkcore.samples.tracer import Part, meet, openness, visibility
from sparkcore.samples.view import View

FAR = np.float32(1e4)
STRIDE = 3
Flooring = Callable[[Floats, Floats], Material]


@dataclass(frozen=True)
class Scene:
    """What is rendered.

    `ground` gives the material at points (3, n) of the plane y = 0, with the size of a pixel there;
    `backdrop` is a picture (height, width, 3) in linear RGB; `aperture` is the lens opening in scene units.
    """

    view: View
    parts: Sequence[Part]
    light: Light
    backdrop: Floats
    ground: Flooring | None = None
    aperture: float = 0.05
    ground_end: float = 30.0
    overlay: Callable[[Floats, View], Floats] | None = None


def render(scene: Scene) -> Floats:
    """Render to linear RGB of shape (height, width, 3)."""
    view = scene.view
    grid = view.rays()
    rays = grid.reshape(3, -1)
    picture = scene.backdrop.reshape(-1, 3).T.copy()
    depth = np.full(picture.shape[1], FAR)
    if scene.ground is not None:
        lay_ground(scene, rays, picture, depth)
    focus = float(np.linalg.norm(view.target - view.eye))
    picture = blur_by_depth(picture, depth, view, focus, scene.aperture)
    for layer in nearest_last(solve(scene, grid), depth):
        blend_layer(scene, layer, rays, picture)
    for part in scene.parts:
        if part.glass is not None:
            blend_glass(scene, part, grid, (picture, depth))
    result = picture.T.reshape(view.height, view.width, 3)
    return result if scene.overlay is None else scene.overlay(result, view)


def lay_ground(scene: Scene, rays: Floats, picture: Floats, depth: Floats) -> None:
    """Shade the plane y = 0 into the picture and the depth."""
    eye = scene.view.eye
    down = rays[1] < -1e-3
    at = np.where(down, -eye[1] / np.minimum(rays[1], -1e-3), FAR)
    seen = np.flatnonzero(down & (at < scene.ground_end))
    if not seen.size or scene.ground is None:
        return
    near, ray = at[seen], rays[:, seen]
    points = eye[:, None] + ray * near
    footprint = near / scene.view.focal / np.maximum(-ray[1], 0.05) ** 0.5
    up = np.repeat(np.array([[0], [1], [0]], np.float32), seen.size, axis=1)
    clear, open_sky = (field.reshape(-1)[seen] for field in ground_shadows(scene, at))
    color = shade(scene.ground(points, footprint), Geometry(up, ray, clear, open_sky), scene.light)
    # The far edge melts into the backdrop.
    fade = np.clip((scene.ground_end - near) / (0.5 * scene.ground_end), 0.0, 1.0)
    picture[:, seen] += (color - picture[:, seen]) * fade
    depth[seen] = near


def ground_shadows(scene: Scene, at: Floats) -> tuple[Floats, Floats]:
    """Give direct and ambient visibility on the ground for all pixels; every third row and column is computed."""
    height, width = scene.view.height, scene.view.width
    rays = scene.view.rays()[:, ::STRIDE, ::STRIDE]
    shape = rays.shape[1:]
    near = at.reshape(height, width)[::STRIDE, ::STRIDE].reshape(-1)
    seen = np.flatnonzero(near < scene.ground_end)
    points = scene.view.eye[:, None] + rays.reshape(3, -1)[:, seen] * near[seen]
    points[1] = 0.0
    up = np.repeat(np.array([[0], [1], [0]], np.float32), seen.size, axis=1)
    fields = []
    for values in (shadows(scene, points), openness(points, up, scene.parts)):
        small = np.ones(near.size, np.float32)
        small[seen] = values
        fields.append(resize_field(small.reshape(shape), height, width))
    return fields[0], fields[1]


def shadows(scene: Scene, points: Floats) -> Floats:
    """Give the visibility of the main light from points."""
    solid = [part for part in scene.parts if part.casts > 0]
    return visibility(points, scene.light.towards, solid, scene.light.sharpness)


@dataclass(frozen=True)
class Layer:
    """What the camera sees of one part."""

    part: Part
    index: NDArray[np.intp]
    distance: Floats
    coverage: Floats


def solve(scene: Scene, rays: Floats) -> list[Layer]:
    """March every opaque part."""
    layers = []
    for part in scene.parts:
        if part.glass is None:
            hits = meet(scene.view, rays, part)
            layers.append(Layer(part, hits.index, hits.distance, hits.coverage))
    return layers


def nearest_last(layers: list[Layer], depth: Floats) -> list[Layer]:
    """Drop hidden pixels and order the layers from far to near; `depth` becomes the nearest solid's."""
    for layer in layers:
        full = layer.coverage > 0.95
        index = layer.index[full]
        depth[index] = np.minimum(depth[index], layer.distance[full])
    kept = []
    for layer in layers:
        seen = layer.distance <= depth[layer.index] * np.float32(1.0005)
        if seen.any():
            kept.append(
                replace(layer, index=layer.index[seen], distance=layer.distance[seen], coverage=layer.coverage[seen])
            )
    return sorted(kept, key=lambda layer: -float(np.median(layer.distance)))


def blend_layer(scene: Scene, layer: Layer, rays: Floats, picture: Floats) -> None:
    """Shade one part over the picture."""
    ray = rays[:, layer.index]
    points = scene.view.eye[:, None] + ray * layer.distance
    local = layer.part.to_local(points)
    normals = layer.part.normals(local)
    # Shadow rays begin a little above the surface, else it shadows itself; what faces away needs none.
    facing = np.flatnonzero(dot(scene.light.towards, normals) > -0.4)
    lifted = points + normals * np.float32(0.012 * layer.part.radius * layer.part.scale)
    clear = np.zeros(len(layer.index), np.float32)
    clear[facing] = shadows(scene, lifted[:, facing])
    geometry = Geometry(normals, ray, clear, openness(points, normals, scene.parts))
    color = shade(layer.part.paint(local), geometry, scene.light)
    picture[:, layer.index] += (color - picture[:, layer.index]) * layer.coverage


def blend_glass(scene: Scene, part: Part, rays: Floats, target: tuple[Floats, Floats]) -> None:
    """Lay a clear part over the picture: what is behind, bent and tinted, plus reflections."""
    picture, depth = target
    hits = meet(scene.view, rays, part)
    seen = hits.distance < depth[hits.index]
    index, distance, coverage = hits.index[seen], hits.distance[seen], hits.coverage[seen]
    if not index.size or part.glass is None:
        return
    ray = rays.reshape(3, -1)[:, index]
    points = scene.view.eye[:, None] + ray * distance
    normals = part.normals(part.to_local(points))
    behind = bend(scene.view, picture, index, normals)
    facing = np.clip(-np.einsum("ij,ij->j", normals, ray), 0.0, 1.0)
    fresnel = 0.06 + 0.85 * (1.0 - facing) ** 2.2
    bounced = ray + 2.0 * facing * normals
    mirror = scene.light.surroundings(bounced, 0.03)
    tint = part.glass[:, None] ** (0.5 + 1.2 * (1.0 - facing))
    color = behind * tint * (1.0 - 0.6 * fresnel) + mirror * fresnel
    picture[:, index] += (color - picture[:, index]) * coverage


def bend(view: View, picture: Floats, index: NDArray[np.intp], normals: Floats) -> Floats:
    """Fetch what is behind glass, shifted as by a thick lens."""
    right, up, _ = view.axes()
    shift = 0.05 * max(view.height, view.width)
    rows = np.clip(index // view.width + dot(up, normals) * shift, 0, view.height - 1).astype(np.intp)
    columns = np.clip(index % view.width - dot(right, normals) * shift, 0, view.width - 1).astype(np.intp)
    return picture[:, rows * view.width + columns]
