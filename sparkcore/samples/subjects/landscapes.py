"""Landscapes: mountains, lakes and coasts."""

from __future__ import annotations

import numpy as np

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import linear, mix
from sparkcore.samples.noise import Floats, fractal, ridged, smooth_noise
from sparkcore.samples.optics import blur_rgb
from sparkcore.samples.settings import sky
from sparkcore.samples.solids import dot, smoothstep
from sparkcore.samples.surfaces import tinted
from sparkcore.samples.terrain import Ground, HeightMap, Lookout, haze, shadowed, survey
from sparkcore.samples.view import unit

GRID = 448
# Land meets the sky without partly covered pixels; this much blur hides the steps.
SOFTNESS_PX = 0.7


def mountains(rng: np.random.Generator, height: float, near: float = 0.9) -> HeightMap:
    """Raise a range of mountains behind a valley; the map is 4 units wide."""
    shape = (GRID, GRID)
    crests = ridged(rng, shape, GRID / rng.uniform(1.8, 3.2), 7, 0.45)
    mass = smooth_noise(rng, shape, GRID / rng.uniform(2.0, 3.5))
    rows = np.linspace(0, 1, GRID, dtype=np.float32)[:, None]
    lift = smoothstep(0.02, 0.6, rows) * (0.45 + 0.75 * mass)
    fine = fractal(rng, shape, 16, 4, 0.6) - 0.5
    return HeightMap((height * (crests * 1.5 * lift + 0.02) + 0.05 * fine).astype(np.float32), 4.0, near)


def sunlight(rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Draw the sun's direction and color, and the sky's ambient light."""
    turn = rng.uniform(0.3, 0.9) * np.pi * rng.choice([-1, 1])
    up = np.radians(rng.uniform(20, 50))
    towards = unit([np.cos(up) * np.sin(turn), np.sin(up), np.cos(up) * np.cos(turn)])
    warmth = rng.uniform(0.0, 0.25)
    sun = np.array([1.0 + warmth, 1.0, 1.0 - warmth], np.float32) * np.float32(rng.uniform(1.1, 1.6))
    return towards, sun, np.array([0.26, 0.34, 0.48], np.float32)


def shaded(ground: Ground, albedo: Floats, clear: Floats, sun: tuple[Floats, Floats, Floats]) -> Floats:
    """Light land with sun and sky."""
    towards, color, ambient = sun
    facing = np.clip(dot(towards, ground.normal), 0, 1) * clear
    above = 0.5 + 0.5 * ground.normal[1]
    return albedo * (color[:, None] * facing + ambient[:, None] * above)


def snowy(rng: np.random.Generator, land: HeightMap, ground: Ground, line: float) -> Floats:
    """Color mountains: snow above the line and on gentle slopes, else rock, then meadow and forest."""
    shape = land.heights.shape
    rough = land.at(ground.x, ground.z, fractal(rng, shape, 30, 5))
    fine = land.at(ground.x, ground.z, fractal(rng, shape, 5, 3, 0.7))
    rock = linear(tinted(rng, (0.34, 0.32, 0.31), 0.05))[:, None] * (0.5 + fine)
    meadow = mix(
        rock * 0 + linear((0.34, 0.42, 0.18))[:, None], linear((0.10, 0.17, 0.09)), smoothstep(0.45, 0.55, rough)
    ) * (0.6 + 0.8 * fine)
    top = float(land.heights.max())
    level = ground.height / top + 0.35 * (rough - 0.5)
    gentle = smoothstep(0.50, 0.68, ground.normal[1] + 0.25 * (fine - 0.5))
    albedo = mix(rock, meadow, smoothstep(0.42, 0.25, level) * smoothstep(0.5, 0.75, ground.normal[1]))
    near = ground_noise(rng, ground.x[None] * 0.8, ground.z[None] * 0.8, 6)[0]
    albedo = albedo * (0.55 + 0.9 * near)
    snow = smoothstep(line - 0.06, line + 0.06, level) * (0.08 + 0.92 * gentle)
    return mix(albedo, linear((0.95, 0.96, 0.98)), np.clip(snow, 0, 1))


def alp(rng: np.random.Generator, frame: Frame) -> Floats:
    """Snowy mountains above a valley."""
    height, width = frame.working_height, frame.working_width
    land = mountains(rng, rng.uniform(0.75, 1.15))
    horizon = rng.uniform(0.5, 0.8)
    look = Lookout(height, width, float(rng.uniform(0.25, 0.7)), float(rng.uniform(38, 60)), horizon)
    picture = sky(rng, height, width, horizon)
    sun = sunlight(rng)
    ground = survey(land, look)
    clear = land.at(ground.x, ground.z, shadowed(land, sun[0]))
    color = shaded(ground, snowy(rng, land, ground, rng.uniform(-0.1, 0.32)), clear, sun)
    air = picture[max(0, int(height * horizon) - 2)].mean(axis=0)
    color = haze(color, ground.distance, air * np.array([0.8, 0.9, 1.0], np.float32), rng.uniform(0.02, 0.10))
    picture.reshape(-1, 3)[ground.pixels] = color.T
    return blur_rgb(picture, SOFTNESS_PX)


def water(rng: np.random.Generator, above: Floats, shore: int, rough: float) -> Floats:
    """Mirror the rows above `shore` in rippled water below it."""
    height, width = above.shape[:2]
    rows = height - shore
    depth = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None]
    distance = 1.0 / depth
    slant = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * distance
    waves = np.zeros((rows, width), np.float32)
    for scale, weight in ((0.16, 0.6), (0.35, 0.4)):
        waves += weight * (ground_noise(rng, slant * scale, distance * scale * 2.2, 5) - 0.5)
    calm = 0.35 + 0.65 * smoothstep(0.35, 0.6, ground_noise(rng, slant * 0.03, distance * 0.25, 3))
    bent = waves * calm * rough * height * (0.25 + depth)
    source = np.abs(shore - 1 - np.arange(rows)[:, None] * 0.95 + bent).astype(np.int32)
    mirrored = above[np.minimum(source, shore - 1), np.arange(width)[None, :]]
    body = linear(tinted(rng, (0.13, 0.25, 0.29), 0.08)) * np.float32(0.8)
    clear = np.clip(0.12 + 0.5 * depth + 0.7 * waves * calm, 0.05, 0.75)[:, :, None]
    return (mirrored + (body - mirrored) * clear) * np.float32(0.92)


def treeline(rng: np.random.Generator, picture: Floats, row: float, tall: float, tone: Floats) -> None:
    """Draw a line of trees standing on `row` into the picture."""
    height, width = picture.shape[:2]
    crown = fractal(rng, (4, width), width / 5, 3)[0] * 0.9
    spikes = fractal(rng, (4, width), 9, 2)[0]
    top = row - tall * (0.35 + crown + 0.5 * spikes)
    rows = np.arange(height, dtype=np.float32)[:, None]
    part = smoothstep(0.0, 2.0, rows - top[None, :]) * (rows < row)
    leaves = fractal(rng, (height, width), 8, 3, 0.7)
    shade = np.clip(1.4 - (rows - top[None, :]) / max(tall, 1.0) * 0.8, 0.3, 1.4)
    color = tone[None, None, :] * ((0.25 + 1.5 * leaves) * shade)[:, :, None]
    picture += (color - picture) * part[:, :, None]


def lakeside(rng: np.random.Generator, frame: Frame) -> Floats:
    """A lake with hills, trees and their mirror image."""
    height, width = frame.working_height, frame.working_width
    horizon = rng.uniform(0.38, 0.58)
    shore = int(height * horizon)
    picture = sky(rng, height, width, horizon)
    land = mountains(rng, rng.uniform(0.15, 0.6))
    ground = survey(land, Lookout(height, width, 0.02, float(rng.uniform(45, 65)), horizon))
    sun = sunlight(rng)
    color = shaded(ground, snowy(rng, land, ground, float(rng.choice([0.75, 1.5, 1.5]))), np.ones_like(ground.x), sun)
    air = picture[max(0, shore - 3)].mean(axis=0)
    color = haze(color, ground.distance, air, rng.uniform(0.1, 0.25))
    keep = ground.pixels < shore * width
    picture.reshape(-1, 3)[ground.pixels[keep]] = color.T[keep]
    picture = blur_rgb(picture, SOFTNESS_PX)
    season = rng.choice([0, 0, 0, 1])
    tone = linear((0.52, 0.38, 0.12) if season else tinted(rng, (0.24, 0.34, 0.13), 0.08)) * sun[1]
    for far in (0.6, 1.0)[: int(rng.integers(1, 3))]:
        treeline(rng, picture, shore, height * rng.uniform(0.03, 0.16) * far, tone)
    picture[shore:] = water(rng, picture, shore, float(rng.uniform(0.05, 0.3)))
    if rng.random() < 0.7:
        bank(rng, picture, tone)
    return picture


def bank(rng: np.random.Generator, picture: Floats, tone: Floats) -> None:
    """Draw a near bank with grass into the lower edge."""
    height, width = picture.shape[:2]
    base = height * rng.uniform(0.80, 0.97)
    tilt = np.linspace(-1, 1, width) * rng.normal(0, 0.12) * height
    blades = fractal(rng, (4, width), 5, 2)[0] * height * rng.uniform(0.03, 0.12)
    edge = base + tilt + (fractal(rng, (4, width), width / 3, 3)[0] - 0.5) * height * 0.15 - blades
    rows = np.arange(height, dtype=np.float32)[:, None]
    part = smoothstep(0.0, 2.5, rows - edge[None, :].astype(np.float32))[:, :, None]
    texture = fractal(rng, (height, width), 6, 3, 0.8) * (0.6 + 0.8 * fractal(rng, (height, width), 60, 3))
    color = tone[None, None, :] * (0.2 + 1.9 * texture)[:, :, None]
    picture += (color - picture) * part


def seashore(rng: np.random.Generator, frame: Frame) -> Floats:
    """A beach: sky, sea with breaking waves, foam, wet and dry sand."""
    height, width = frame.working_height, frame.working_width
    horizon = rng.uniform(0.25, 0.5)
    picture = sky(rng, height, width, horizon)
    top = int(height * horizon)
    if rng.random() < 0.5:
        headland(rng, picture, top)
    rows = height - top
    depth = (np.arange(rows, dtype=np.float32) + 0.7) / rows
    distance = 1.0 / depth[:, None]
    slant = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(width / height)
    x = slant * distance
    shore_at = rng.uniform(1.3, 2.6)
    angle = rng.uniform(0.1, 0.7) * rng.choice([-1, 1])
    # Both axes shrink with the distance, so textures are drawn on the ground and looked up there.
    wobble = ground_noise(rng, x * 0.25, distance * 0.25, 3)
    offshore = distance - shore_at + angle * x + (wobble - 0.5) * 1.4
    sea = sea_color(rng, picture[max(top - 2, 0)].mean(axis=0), x, distance, offshore)
    beach = beach_color(rng, x, distance, offshore)
    part = smoothstep(-0.02, 0.03, offshore)[:, :, None]
    picture[top:] = beach + (sea - beach) * part
    return picture


def ground_noise(rng: np.random.Generator, x: Floats, z: Floats, octaves: int) -> Floats:
    """Sample tileable noise at ground positions (one tile a unit); fades where it gets too fine."""
    size = 256
    field = fractal(rng, (size, size), size / 4, octaves)
    field = 0.5 * (field + field[::-1]) if octaves < 2 else field
    blendable = np.abs(np.linspace(-1, 1, size, dtype=np.float32))
    mirror = np.roll(field, size // 2, 0) * blendable[:, None] + field * (1 - blendable[:, None])
    mirror = np.roll(mirror, size // 2, 1) * blendable[None, :] + mirror * (1 - blendable[None, :])
    i = np.floor(z * size).astype(np.int32) & (size - 1)
    j = np.floor(x * size).astype(np.int32) & (size - 1)
    return mirror[i, np.broadcast_to(j, i.shape)] if i.shape == j.shape else mirror[np.broadcast_to(i, j.shape), j]


def sea_color(rng: np.random.Generator, air: Floats, x: Floats, z: Floats, offshore: Floats) -> Floats:
    """Color the water: deep far out, green and foamy near the beach."""
    deep = linear(tinted(rng, (0.10, 0.32, 0.46), 0.08))
    shallow = linear(tinted(rng, (0.36, 0.62, 0.62), 0.06))
    swell = ground_noise(rng, x * 0.12, z * 0.5, 6)
    chop = ground_noise(rng, x * 0.5, z * 1.3, 5)
    mirror = np.clip(0.25 + 0.08 * z + 1.8 * (swell - 0.5) + 1.2 * (chop - 0.5), 0.03, 0.9)[:, :, None]
    body = shallow + (deep - shallow) * smoothstep(0.1, 2.2, offshore)[:, :, None]
    color = body * (0.6 + 0.8 * chop[:, :, None]) * (1 - mirror) + air * mirror
    foam = np.zeros_like(offshore)
    lace = ground_noise(rng, x * 0.7, z * 0.9, 6)
    for _ in range(rng.integers(2, 5)):
        at = rng.uniform(0.05, 3.0)
        ragged = offshore - at + 1.6 * (ground_noise(rng, x * 0.10, z * 0.2, 3) - 0.5)
        crest = smoothstep(-0.02, 0.02, ragged) * smoothstep(rng.uniform(0.25, 0.6), 0.02, ragged)
        foam = np.maximum(foam, crest * smoothstep(0.38, 0.62, lace + 0.25 * crest))
    edge = smoothstep(0.28, 0.0, offshore) * smoothstep(0.36, 0.56, lace + 0.12)
    foam = np.maximum(foam, edge)
    return color + (np.array([0.9, 0.92, 0.93], np.float32) - color) * np.clip(foam, 0, 1)[:, :, None]


def beach_color(rng: np.random.Generator, x: Floats, z: Floats, offshore: Floats) -> Floats:
    """Color the sand: wet and dark near the water, dry above."""
    dry = linear(tinted(rng, (0.82, 0.74, 0.60), 0.06))
    wet = dry * np.array([0.38, 0.36, 0.36], np.float32)
    bumps = 0.6 * ground_noise(rng, x * 0.8, z * 0.8, 6) + 0.4 * ground_noise(rng, x * 3.0, z * 3.0, 3)
    damp = smoothstep(-0.75, -0.15, offshore + 0.5 * (bumps - 0.5))[:, :, None]
    return (dry + (wet - dry) * damp) * (0.55 + 0.9 * bumps[:, :, None])


def headland(rng: np.random.Generator, picture: Floats, row: int) -> None:
    """Draw a far headland on the horizon."""
    height, width = picture.shape[:2]
    left = rng.uniform(-0.4, 0.7) * width
    columns = np.arange(width, dtype=np.float32)
    bulk = smoothstep(0, width * 0.3, columns - left) * smoothstep(
        0, width * 0.3, left + width * rng.uniform(0.5, 1.2) - columns
    )
    top = row - bulk * height * rng.uniform(0.05, 0.14) * (0.5 + fractal(rng, (4, width), width / 4, 5)[0])
    rows = np.arange(height, dtype=np.float32)[:, None]
    part = (smoothstep(0.0, 1.5, rows - top[None, :]) * (rows < row))[:, :, None]
    tone = linear(tinted(rng, (0.30, 0.36, 0.33), 0.08)) + 0.25 * picture[max(row - 3, 0)].mean(axis=0)
    picture += (tone * (0.6 + 0.7 * fractal(rng, (height, width), 20, 5))[:, :, None] - picture) * part
