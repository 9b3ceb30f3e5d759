"""Settings: lights for indoors and outdoors, skies and blurred backdrops."""

from __future__ import annotations

import numpy as np

from sparkcore.samples.light import Light, linear
from sparkcore.samples.noise import Floats, fractal, resize_field, smooth_noise
from sparkcore.samples.optics import blur_rgb
from sparkcore.samples.solids import smoothstep
from sparkcore.samples.surfaces import ramp, tinted
from sparkcore.samples.view import unit


def warm(rng: np.random.Generator, strength: float) -> Floats:
    """Draw a light color between bluish and warm."""
    shift = rng.uniform(-0.06, 0.16)
    return np.array([1.0 + shift, 1.0, 1.0 - 1.6 * shift], np.float32) * np.float32(strength)


def direction(rng: np.random.Generator, lowest_deg: float, highest_deg: float, behind: float = 0.25) -> Floats:
    """Draw where the light comes from; the camera looks along +z, so mostly from the front or the side."""
    height = np.radians(rng.uniform(lowest_deg, highest_deg))
    turn = rng.uniform(0.25 * np.pi, 0.95 * np.pi) * rng.choice([-1, 1])
    if rng.random() < behind:
        turn *= 0.35
    return unit([np.cos(height) * np.sin(turn), np.sin(height), np.cos(height) * np.cos(turn)])


def indoor(rng: np.random.Generator) -> Light:
    """Light a room or a studio: one soft main light, panes that reflect."""
    towards = direction(rng, 30, 70)
    panes = [(towards, float(rng.uniform(0.01, 0.08)), float(rng.uniform(1.5, 4.0)))]
    for _ in range(rng.integers(0, 3)):
        panes.append((direction(rng, 10, 60), float(rng.uniform(0.01, 0.05)), float(rng.uniform(0.6, 2.0))))
    ambient = rng.uniform(0.25, 0.6)
    return Light(
        towards,
        warm(rng, rng.uniform(0.8, 1.3)),
        warm(rng, ambient),
        warm(rng, ambient * rng.uniform(0.5, 0.9)),
        warm(rng, ambient * rng.uniform(0.25, 0.5)),
        float(rng.uniform(2.0, 7.0)),
        tuple(panes),
    )


def outdoor(rng: np.random.Generator, ground: tuple[float, float, float] = (0.4, 0.4, 0.35)) -> Light:
    """Light the open: sun and blue sky, or an overcast sky."""
    overcast = rng.random() < 0.3
    towards = direction(rng, 22, 65)
    sun = rng.uniform(0.25, 0.5) if overcast else rng.uniform(1.1, 1.7)
    sky = np.array([0.8, 0.86, 0.95], np.float32) if overcast else np.array([0.36, 0.5, 0.8], np.float32)
    level = np.array([0.85, 0.88, 0.92], np.float32) * np.float32(0.8 if overcast else 0.65)
    bounce = linear(ground) * np.float32(0.7)
    panes = () if overcast else ((towards, 0.004, 12.0),)
    return Light(
        towards,
        warm(rng, sun),
        sky * np.float32(rng.uniform(0.7, 1.0)),
        level,
        bounce,
        float(rng.uniform(2.0, 4.0) if overcast else rng.uniform(10.0, 25.0)),
        panes,
    )


def shape_of(height: int, width: int) -> tuple[Floats, Floats]:
    """Give row and column coordinates in 0..1 that broadcast to a picture."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    return rows, np.linspace(0, 1, width, dtype=np.float32)[None, :]


def enlarged(small: Floats, height: int, width: int) -> Floats:
    """Bring a blurred picture to its full size."""
    return np.stack([resize_field(small[:, :, channel], height, width) for channel in range(3)], axis=2)


def room(rng: np.random.Generator, height: int, width: int, brightness: float = 0.5) -> Floats:
    """Draw a blurred room: wall, lighter window patches, darker furniture."""
    # What is blurred anyway is drawn at a third of the size.
    full, height, width = (height, width), height // 3, width // 3
    wall = linear(
        tinted(
            rng,
            [
                (0.8, 0.77, 0.72),
                (0.62, 0.6, 0.58),
                (0.4, 0.36, 0.33),
                (0.7, 0.75, 0.8),
                (0.3, 0.28, 0.27),
                (0.86, 0.84, 0.8),
            ][rng.integers(6)],
        )
    ) * np.float32(brightness * 1.3)
    picture = (
        np.broadcast_to(wall, (height, width, 3))
        * (0.7 + 0.6 * smooth_noise(rng, (height, width), width * 0.7))[:, :, None]
    )
    picture = picture.astype(np.float32)
    for _ in range(rng.integers(0, 9)):
        top, left = rng.integers(-height // 3, height), rng.integers(-width // 5, width)
        tall, wide = rng.integers(height // 10, height // 2), rng.integers(width // 20, width // 3)
        muted = 0.75 * rng.uniform(0.15, 0.85) + 0.25 * rng.random(3)
        color = linear(muted) * np.float32(rng.choice([0.3, 0.6, 1.0, 1.8]))
        picture[max(0, top) : max(0, top + tall), max(0, left) : max(0, left + wide)] = color
    return enlarged(blur_rgb(picture, width * float(rng.uniform(0.02, 0.06))), *full)


def foliage(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Draw blurred greenery with bright spots between the leaves."""
    full, height, width = (height, width), height // 3, width // 3
    field = fractal(rng, (height, width), width / rng.uniform(3, 7), 4, 0.6)
    field = np.clip((field - 0.5) * 2.2 + 0.5, 0, 1)
    dry = rng.uniform(0, 0.2)
    picture = ramp(
        field, ((0.04, 0.07, 0.03), (0.16 + dry, 0.26 + dry * 0.5, 0.08), (0.40 + dry, 0.52, 0.20), (0.75, 0.80, 0.52))
    )
    spots = smooth_noise(rng, (height, width), width / 18)
    picture += (np.clip(spots - 0.80, 0, 1) * rng.uniform(0.5, 4))[:, :, None] * np.array([1, 1, 0.8], np.float32)
    return enlarged(blur_rgb(picture, width * float(rng.uniform(0.008, 0.03))), *full)


def sky(rng: np.random.Generator, height: int, width: int, horizon: float = 1.0) -> Floats:
    """Draw a sky down to the row `horizon` (in heights): blue with clouds, grey or evening."""
    rows, _ = shape_of(height, width)
    part = np.clip(rows / max(horizon, 0.05), 0, 1) ** np.float32(rng.uniform(0.8, 1.6))
    kind = rng.choice(["blue", "blue", "blue", "grey", "evening"])
    stops = {
        "blue": ((0.22, 0.42, 0.72), (0.48, 0.66, 0.88), (0.80, 0.88, 0.95)),
        "grey": ((0.62, 0.66, 0.70), (0.74, 0.77, 0.80), (0.85, 0.86, 0.87)),
        "evening": ((0.32, 0.38, 0.58), (0.72, 0.60, 0.62), (0.97, 0.75, 0.52)),
    }[str(kind)]
    picture = np.repeat(ramp(part, [tinted(rng, stop, 0.03) for stop in stops]), width, axis=1)
    cover = rng.uniform(-0.1, 0.35)
    flat = fractal(rng, (height * 2, width), width / rng.uniform(2.0, 4.0), 6, 0.52)
    squeezed = flat[::2]
    amount = np.clip((squeezed - 0.62 + cover * 0.6) * 5.5, 0, 1)[:, :, None]
    lit = np.clip(1.05 - 0.5 * (fractal(rng, (height, width), width / 6, 4)), 0, 1)[:, :, None]
    white = np.array([0.98, 0.97, 0.96], np.float32) * lit * np.float32(0.95)
    if kind == "evening":
        white = white * np.array([1.0, 0.75, 0.62], np.float32)
    return (picture + (white - picture) * amount * 0.9).astype(np.float32)


def backdrop(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Draw something out of focus: a room or greenery."""
    return foliage(rng, height, width) if rng.random() < 0.25 else room(rng, height, width)


def scenery(rng: np.random.Generator, picture: Floats, row: float) -> None:
    """Draw hills, woods or a far sea on the horizon at `row` into a sky; often several."""
    height, width = picture.shape[:2]
    if not 0.05 * height < row < 1.2 * height:
        return
    air = picture[int(np.clip(row - 3, 0, height - 1))].mean(axis=0)
    if rng.random() < 0.45:
        hills = linear(tinted(rng, (0.36, 0.44, 0.42), 0.06)) * 0.5 + air * 0.45
        skyline(rng, picture, row, height * rng.uniform(0.02, 0.12), hills, (width / 3, 5))
    if rng.random() < 0.75:
        leaves = linear(tinted(rng, (0.26, 0.36, 0.15), 0.08)) * 0.8 + air * 0.08
        skyline(rng, picture, row, height * rng.uniform(0.03, 0.16), leaves, (width / 9, 6))


def skyline(
    rng: np.random.Generator, picture: Floats, row: float, tall: float, tone: Floats, grain: tuple[float, int]
) -> None:
    """Fill a bumpy band that stands on `row`, `tall` pixels high, in one textured tone."""
    height, width = picture.shape[:2]
    cell, octaves = grain
    bumps = fractal(rng, (4, width), cell, octaves, 0.6)[0]
    top = row - tall * np.clip(0.25 + 1.6 * (bumps - 0.25), 0.05, 2.0)
    rows = np.arange(height, dtype=np.float32)[:, None]
    # The ground covers what is below the horizon, except where the camera is tilted.
    part = smoothstep(0.0, 1.8, rows - top[None, :]) * (rows < row + 0.04 * height)
    texture = fractal(rng, (height, width), max(4.0, cell / 6), 4, 0.7)
    lit = np.clip(1.3 - 0.7 * (rows - top[None, :]) / max(tall, 1.0), 0.4, 1.3)
    shaded = tone[None, None, :] * ((0.45 + 1.1 * texture) * lit)[:, :, None]
    picture += (shaded - picture) * part[:, :, None]


def sea_band(rng: np.random.Generator, picture: Floats, row: float) -> Floats:
    """Lay the sea over a sky from the horizon's row down."""
    top = int(np.clip(row, 0, picture.shape[0] - 1))
    result = picture.copy()
    result[top:] = 0.65 * linear(tinted(rng, (0.22, 0.38, 0.50), 0.08)) + 0.25 * picture[top:]
    return result
