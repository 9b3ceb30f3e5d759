"""Light: where it comes from, what surroundings reflect in shiny things, and how a surface answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparkcore.samples.noise import Floats
from sparkcore.samples.solids import dot

Color = tuple[float, float, float]
MATT = 0.1


@dataclass(frozen=True)
class Material:
    """How points of a surface answer to light; arrays have one entry a point, colors are linear RGB (3, n)."""

    albedo: Floats
    gloss: Floats | float = 0.3
    reflectance: Floats | float = 0.04
    metal: float = 0.0
    translucency: float = 0.0
    glow: Floats | None = None


@dataclass(frozen=True)
class Light:
    """One main light, the sky or room around it, and the panes that shine in reflections."""

    towards: Floats
    color: Floats
    above: Floats
    level: Floats
    below: Floats
    sharpness: float
    panes: tuple[tuple[Floats, float, float], ...] = ()

    def surroundings(self, directions: Floats, blur: Floats | float) -> Floats:
        """Give the light (3, n) that comes from directions (3, n), blurred by roughness `blur` in 0..1."""
        height = directions[1]
        soft = 0.06 + 0.9 * np.asarray(blur, np.float32)
        upper = np.clip(0.5 + 0.5 * height / soft, 0.0, 1.0)
        rise = np.clip(height, 0.0, 1.0) ** np.float32(0.6)
        over = self.level[:, None] * (1.0 - rise) + self.above[:, None] * rise
        total = self.below[:, None] * (1.0 - upper) + over * upper
        for towards, size, strength in self.panes:
            near = dot(towards, directions)
            edge = 0.02 + 0.35 * np.asarray(blur, np.float32)
            shine = np.clip((near - (1.0 - size) + edge * 0.5) / edge, 0.0, 1.0)
            total = total + strength * (0.04 / (0.04 + edge * 0.3)) * shine * self.color[:, None]
        return total


def linear(color: Sequence[float] | Floats) -> Floats:
    """Turn a display color in 0..1 into linear light."""
    return np.asarray(color, np.float32) ** np.float32(2.2)


def solid(color: Sequence[float], count: int) -> Floats:
    """Repeat a display color as linear albedo (3, count)."""
    return np.repeat(linear(color)[:, None], count, axis=1)


def evenly(color: Floats, points: Floats) -> Floats:
    """Repeat a linear color as albedo for points (3, n)."""
    return np.repeat(color[:, None], points.shape[1], axis=1)


def mix(first: Floats, second: Floats | Color, part: Floats) -> Floats:
    """Blend colors (3, n) or a single linear color by `part` (n,)."""
    other = np.asarray(second, np.float32)
    if other.ndim == 1:
        other = other[:, None]
    return first + (other - first) * part


@dataclass(frozen=True)
class Geometry:
    """What shading needs to know of points: unit normals, unit rays, direct and ambient visibility."""

    normals: Floats
    rays: Floats
    clear: Floats
    openness: Floats


def shade(material: Material, at: Geometry, light: Light) -> Floats:
    """Give the light (3, n) that points send to the camera (Blinn highlight, Schlick's Fresnel)."""
    facing = dot(light.towards, at.normals)
    wrap = np.float32(material.translucency)
    direct = np.clip((facing + wrap) / (1.0 + wrap), 0.0, 1.0)
    lit = direct * (at.clear if wrap == 0 else at.clear + (1.0 - at.clear) * wrap * 0.5)
    upper = (0.5 + 0.5 * at.normals[1])[None]
    around = light.below[:, None] * (1.0 - upper) + (0.55 * light.above + 0.45 * light.level)[:, None] * upper
    diffuse = material.albedo * (light.color[:, None] * lit + around * at.openness)
    if isinstance(material.gloss, float) and material.gloss <= MATT and material.glow is None:
        return diffuse
    mirror = reflection(material, at, light)
    total = diffuse * np.float32(1.0 - material.metal) + mirror
    return total if material.glow is None else total + material.glow


def reflection(material: Material, at: Geometry, light: Light) -> Floats:
    """Give the mirrored part of the light: surroundings and highlight."""
    toward_eye = -np.einsum("ij,ij->j", at.normals, at.rays)
    bounced = at.rays + 2.0 * toward_eye * at.normals
    gloss = np.asarray(material.gloss, np.float32)
    base = np.asarray(material.reflectance, np.float32)
    fresnel = base + (np.maximum(gloss, base) - base) * np.clip(1.0 - toward_eye, 0.0, 1.0) ** 5
    around = light.surroundings(bounced, 1.0 - gloss)
    near = np.clip(dot(light.towards, bounced), 0.0, 1.0)
    power = 4.0 + 600.0 * gloss**3
    highlight = near**power * (0.15 + 8.0 * gloss**2) * at.clear
    mirror = (around * (0.3 + 0.7 * at.openness) + highlight * light.color[:, None]) * fresnel
    if material.metal:
        tint = material.albedo * np.float32(material.metal)
        mirror = mirror * (1.0 - np.float32(material.metal)) + (around + highlight * light.color[:, None]) * tint
    return mirror
