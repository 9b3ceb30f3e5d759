"""Life in the sea: jellyfish and brain corals."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Light, Material, evenly, linear, mix
from sparkcore.samples.noise import Floats, Lattice, fractal, smooth_noise
from sparkcore.samples.optics import blur
from sparkcore.samples.scene import Scene, render
from sparkcore.samples.settings import shape_of
from sparkcore.samples.solids import ellipsoid, smoothstep
from sparkcore.samples.staging import Shot, stand
from sparkcore.samples.surfaces import Texture, sand, tinted
from sparkcore.samples.tracer import Part
from sparkcore.samples.view import spin, unit


def deep_water(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Draw open water: lighter above, darker below."""
    rows, columns = shape_of(height, width)
    top = linear(
        tinted(
            rng, [(0.10, 0.35, 0.70), (0.05, 0.18, 0.50), (0.08, 0.42, 0.62), (0.02, 0.05, 0.12)][rng.integers(4)], 0.1
        )
    )
    bottom = top * np.float32(rng.uniform(0.15, 0.6))
    x = rng.uniform(0.2, 0.8)
    glow = np.exp(-((columns - x) ** 2) * 3 - rows**2 * 1.5)[:, :, None]
    return (top + (bottom - top) * rows[:, :, None]) * (0.7 + 0.9 * glow).astype(np.float32)


def jellyfish(rng: np.random.Generator, frame: Frame) -> Floats:
    """Jellyfish drifting in blue water."""
    height, width = frame.working_height, frame.working_width
    picture = deep_water(rng, height, width)
    tint = linear(
        tinted(
            rng,
            [(0.95, 0.62, 0.35), (0.85, 0.80, 0.92), (0.92, 0.55, 0.62), (0.7, 0.85, 0.95), (0.95, 0.75, 0.5)][
                rng.integers(5)
            ],
        )
    )
    count = int(rng.choice([1, 1, 1, 2, 3, 5]))
    for number in range(count):
        size = min(height, width) * (rng.uniform(0.22, 0.34) if count < 3 else rng.uniform(0.10, 0.2))
        if number:
            size *= rng.uniform(0.4, 0.9)
        spot = (
            height * rng.uniform(0.25, 0.5),
            width * (rng.uniform(0.3, 0.7) if count == 1 else rng.uniform(0.12, 0.88)),
        )
        picture = drift(rng, picture, spot, size, tint)
    specks = smooth_noise(rng, (height, width), 2.5)
    return picture + (np.clip(specks - 0.93, 0, 1) * 1.2)[:, :, None]


def drift(rng: np.random.Generator, picture: Floats, spot: tuple[float, float], size: float, tint: Floats) -> Floats:
    """Lay one jellyfish over the picture: tentacles, arms, then the bell."""
    height, width = picture.shape[:2]
    top, bottom = max(0, int(spot[0] - 1.3 * size)), min(height, int(spot[0] + 3.4 * size))
    left, right = max(0, int(spot[1] - 2.2 * size)), min(width, int(spot[1] + 2.2 * size))
    lean = rng.normal(0, 0.4)
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    y, x = (y - spot[0]) / size, (x - spot[1]) / size
    across, down = np.cos(lean) * x - np.sin(lean) * y, np.sin(lean) * x + np.cos(lean) * y
    threads = tentacles(rng, (bottom - top, right - left), (spot[0] - top, spot[1] - left, size, lean))
    part = picture[top:bottom, left:right]
    part = part + (tint * 0.9 - part * 0.3) * (threads * 0.6)[:, :, None]
    part = part + (tint * 1.1 - part * 0.6) * (mouth_arms(rng, across, down) * 0.75)[:, :, None]
    result = picture.copy()
    result[top:bottom, left:right] = bell_over(rng, part, (across, down), size, tint)
    return result


def tentacles(rng: np.random.Generator, shape: tuple[int, int], place: tuple[float, float, float, float]) -> Floats:
    """Draw wavy threads that hang from the bell's rim; gives their brightness."""
    row, column, size, lean = place
    sheet = Image.new("L", (shape[1] * 2, shape[0] * 2))
    pen = ImageDraw.Draw(sheet)
    down = np.linspace(-0.05, 1.0, 40)
    for _ in range(int(rng.integers(16, 36))):
        root, reach = rng.uniform(-0.85, 0.85), rng.uniform(1.2, 3.2)
        sway, pace, phase = rng.uniform(0.03, 0.16), rng.uniform(1.5, 4.5), rng.uniform(0, 6)
        along = down * reach
        line = root * (1 - 0.12 * along) + sway * np.sin(along * pace + phase) * np.clip(along + 0.2, 0, 3)
        x = column + size * (np.cos(lean) * line + np.sin(lean) * along)
        y = row + size * (np.cos(lean) * along - np.sin(lean) * line)
        level, thick = rng.uniform(90, 240), max(1, round(rng.uniform(0.01, 0.03) * size * 2))
        points = list(zip((x * 2).tolist(), (y * 2).tolist(), strict=True))
        for step in range(len(points) - 1):
            fade = 1 - max(0.0, step / 39 - 0.35) / 0.65
            pen.line([points[step], points[step + 1]], fill=int(level * fade), width=thick)
    small = sheet.resize((shape[1], shape[0]), Image.Resampling.BOX)
    return blur(np.asarray(small, np.float32) / 255, 0.6)


def mouth_arms(rng: np.random.Generator, across: Floats, down: Floats) -> Floats:
    """Draw the frilled arms below the middle of the bell; gives their brightness."""
    arms = np.zeros_like(across)
    fade = smoothstep(2.2, 0.6, down) * smoothstep(-0.25, 0.2, down)
    for _ in range(int(rng.integers(3, 5))):
        root, pace, phase = rng.uniform(-0.3, 0.3), rng.uniform(2, 5), rng.uniform(0, 6)
        off = across - root * (1 + 0.5 * down) - 0.13 * np.sin(down * pace + phase)
        ruffle = 0.11 * (1.2 + np.sin(down * 17 + phase) * 0.5) * smoothstep(2.4, 0.3, down) + 1e-3
        folds = 0.55 + 0.45 * np.sin(off * 55 + 6 * np.sin(down * 9))
        arms = np.maximum(arms, smoothstep(1.0, 0.3, np.abs(off) / ruffle) * fade * folds)
    return arms


def bell_over(rng: np.random.Generator, part: Floats, at: tuple[Floats, Floats], size: float, tint: Floats) -> Floats:
    """Lay the glassy bell over the picture: bright rim, ribs, a highlight, the organs inside."""
    across, down = at
    scallop = 0.035 * np.cos(across * rng.integers(12, 24))
    up = np.where(down < 0, down / rng.uniform(0.62, 0.95), (down - scallop) / rng.uniform(0.1, 0.3))
    radius = np.sqrt(across**2 + up**2)
    bell = smoothstep(1.02, 0.97, radius)
    edge = smoothstep(0.6, 1.0, radius)
    turn = across / np.sqrt(np.clip(1 - np.clip(up, -1, 1) ** 2, 0.04, 1))
    ribs = 0.5 + 0.5 * np.cos(np.arcsin(np.clip(turn, -1, 1)) * rng.integers(10, 26))
    shine = 0.35 * np.exp(-((across + 0.3) ** 2 + (up + 0.55) ** 2) * 6)
    light = 0.30 + 0.55 * edge + 0.22 * ribs * smoothstep(0.2, 0.9, radius) + shine
    heart = np.exp(-(((np.abs(across) - 0.25) / 0.16) ** 2 + ((down + 0.22) / 0.16) ** 2))
    soft = fractal(rng, (across.shape[0], across.shape[1]), size / 2, 4)
    body = tint * (light * (0.7 + 0.6 * soft))[:, :, None] + tint**1.6 * heart[:, :, None] * 0.5
    part = part + (body - part * 0.55) * (bell * (0.55 + 0.3 * edge))[:, :, None]
    return part + (blur(bell, size * 0.15) * 0.06)[:, :, None] * tint


def reef_light(rng: np.random.Generator) -> Light:
    """Light from the surface, filtered by water."""
    towards = unit([rng.normal(0, 0.4), 1.0, -rng.uniform(0.1, 0.7)])
    sun = np.array([0.75, 1.0, 0.95], np.float32) * np.float32(rng.uniform(0.9, 1.4))
    return Light(
        towards,
        sun,
        np.array([0.15, 0.42, 0.55], np.float32),
        np.array([0.08, 0.25, 0.35], np.float32),
        np.array([0.06, 0.12, 0.12], np.float32),
        4.0,
    )


def brain_coral(rng: np.random.Generator, frame: Frame) -> Floats:
    """A brain coral: a dome of winding ridges."""
    lattice = Lattice.draw(rng)
    maze = meanders(rng)
    base = linear(
        tinted(rng, [(0.62, 0.55, 0.36), (0.45, 0.50, 0.28), (0.66, 0.52, 0.42), (0.55, 0.58, 0.50)][rng.integers(4)])
    )
    valley = base * np.array([0.30, 0.42, 0.34], np.float32)
    radii = (1.0, float(rng.uniform(0.6, 0.95)), float(rng.uniform(0.85, 1.0)))
    grooves = float(rng.uniform(1.1, 2.0))
    waves = (float(rng.uniform(1.5, 4.0)), float(rng.uniform(1.5, 4.0)))

    def ridges(points: Floats) -> Floats:
        spread = 1.0 / (1.0 + np.clip(points[1], -0.5, 2.0) * 0.6)
        return maze.at(points[0] * spread * 1.3, points[2] * spread * 1.3, 0.0)[0]

    def skin(points: Floats) -> Floats:
        bumps = np.sin(points[0] * waves[0] + 1) * np.sin(points[2] * waves[1] + 2)
        return (ellipsoid(points, radii) - 0.06 * bumps) * np.float32(0.9)

    def relief(points: Floats) -> Floats:
        return 0.05 * ridges(points) / grooves + 0.012 * lattice.at(points, 20.0)

    def paint(points: Floats) -> Material:
        high = smoothstep(0.3, 0.7, ridges(points))
        albedo = mix(evenly(valley, points), base, high)
        return Material(
            albedo * (0.45 + 0.7 * lattice.fractal(points, 14.0) + 0.4 * lattice.at(points, 2.0)), 0.15, 0.03
        )

    part = Part(skin, paint, 1.15, np.array([0, 0.1, 0], np.float32), spin(rng.uniform(0, 6.28), 0.1), 1.0, relief)
    view = stand(rng, frame, Shot((0, 0.35, 0), 0.95, (1.0, 1.7), (20, 70)))
    behind = deep_water(rng, view.height, view.width)
    return render(Scene(view, [part], reef_light(rng), behind, sand(rng, 1.5).floor, 0.03, 5.0))


def meanders(rng: np.random.Generator) -> Texture:
    """Draw a maze of even width: band-pass noise, pushed to black and white, again and again (Turing pattern)."""
    size = 512
    field = rng.standard_normal((size, size)).astype(np.float32)
    rows = np.fft.fftfreq(size)[:, None] * size
    columns = np.fft.rfftfreq(size)[None, :] * size
    frequency = np.sqrt(rows**2 + columns**2)
    center = rng.uniform(20, 34)
    band = np.exp(-(((frequency - center) / (0.27 * center)) ** 2))
    for _ in range(4):
        field = np.fft.irfft2(np.fft.rfft2(field) * band, s=(size, size)).astype(np.float32)
        field = np.tanh(field / (field.std() + 1e-9) * 1.5)
    field = 0.5 + 0.5 * field
    return Texture((np.ascontiguousarray(field[:, :, None], np.float32),), 2.0)
