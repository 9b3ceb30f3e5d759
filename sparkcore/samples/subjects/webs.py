"""Spider webs."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from sparkcore.samples.camera import Frame
from sparkcore.samples.noise import Floats, fractal
from sparkcore.samples.optics import blur, blur_rgb
from sparkcore.samples.settings import foliage, room, sky


def spider_web(rng: np.random.Generator, frame: Frame) -> Floats:
    """An orb web with sagging threads before something blurred."""
    height, width = frame.working_height, frame.working_width
    kind = rng.integers(5)
    behind = (
        sky(rng, height, width) * 0.5
        if kind == 4
        else (room(rng, height, width, 0.3) if kind == 3 else foliage(rng, height, width))
    )
    behind = blur_rgb(behind, width * 0.02) * np.float32(rng.uniform(0.2, 0.5))
    threads = orb(rng, height, width)
    shine = fractal(rng, (height, width), width / 3, 3)
    lit = np.clip((shine - 0.3) * 2.2, 0.15, 1.2) * rng.uniform(0.6, 1.1)
    color = np.array([0.9, 0.92, 0.95], np.float32)
    return behind + (color - behind * 0.5) * (threads * lit)[:, :, None]


def orb(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Draw the threads' brightness 0..1: spokes, then a spiral that sags between them."""
    scale = 2
    sheet = Image.new("L", (width * scale, height * scale))
    pen = ImageDraw.Draw(sheet)
    spokes = int(rng.integers(16, 28))
    angles = np.linspace(0, 2 * np.pi, spokes, endpoint=False) + rng.normal(0, 0.055, spokes)
    reach = max(height, width) * scale * rng.uniform(0.42, 0.75) * rng.normal(1.0, 0.12, spokes)
    hub = np.array([width * rng.uniform(0.35, 0.65), height * rng.uniform(0.35, 0.6)]) * scale
    squash = np.array([1.0, rng.uniform(0.75, 1.1)])
    aim = np.stack([np.cos(angles), np.sin(angles)], axis=1) * squash
    for direction, length in zip(aim, reach, strict=True):
        pen.line([tuple(hub), tuple(hub + direction * length * 1.5)], fill=int(rng.integers(120, 220)), width=scale)
    turns = int(rng.integers(16, 30))
    radii = np.linspace(0.06, 0.92, turns) + rng.normal(0, 0.004, turns)
    sag = rng.uniform(0.06, 0.16)
    for radius in radii:
        if 0.14 < radius < 0.22:
            continue
        for spoke in range(spokes):
            after = (spoke + 1) % spokes
            if rng.random() < 0.015:
                continue
            start = hub + aim[spoke] * reach[spoke] * (radius + spoke / spokes * 0.9 / turns)
            end = hub + aim[after] * reach[after] * (radius + (spoke + 1) / spokes * 0.9 / turns)
            middle = (start + end) / 2 + (hub - (start + end) / 2) * sag + np.array([0.0, 0.004 * height * scale])
            quarter = [(1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t * t * end for t in (0, 0.25, 0.5, 0.75, 1)]
            pen.line([tuple(p) for p in quarter], fill=int(rng.integers(110, 235)), width=scale)
    field = np.asarray(sheet.resize((width, height), Image.Resampling.BOX), np.float32) / 255
    return 0.9 * field + 0.4 * blur(field, 1.5)
