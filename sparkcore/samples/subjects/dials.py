"""Round dials: stopwatches and magnetic compasses."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sparkcore.samples.camera import Frame
from sparkcore.samples.light import Material, linear
from sparkcore.samples.noise import Floats
from sparkcore.samples.scene import render
from sparkcore.samples.solids import blend, cylinder, moved, norm2, torus
from sparkcore.samples.staging import Shot, on_table
from sparkcore.samples.subjects.materials import brushed
from sparkcore.samples.surfaces import Texture, tinted
from sparkcore.samples.tracer import Painter, Part
from sparkcore.samples.view import spin

SIZE = 512
Ink = tuple[int, int, int]
METALS = ((0.86, 0.86, 0.87), (0.85, 0.68, 0.38), (0.72, 0.58, 0.34), (0.25, 0.25, 0.26))


def around(angle_deg: float, radius: float) -> tuple[float, float]:
    """Give the pixel at a clockwise angle from the top, radius in half pictures."""
    turn = np.radians(angle_deg)
    return SIZE / 2 * (1 + radius * float(np.sin(turn))), SIZE / 2 * (1 - radius * float(np.cos(turn)))


def pointer(
    pen: ImageDraw.ImageDraw, angle_deg: float, reach: tuple[float, float], width: float, fill: tuple[int, int, int]
) -> None:
    """Draw a tapered pointer from -reach[0] to reach[1]."""
    pen.polygon(
        [
            around(angle_deg, reach[1]),
            around(angle_deg + 90, width),
            around(angle_deg + 180, reach[0]),
            around(angle_deg - 90, width),
        ],
        fill=fill,
    )


def labels(pen: ImageDraw.ImageDraw, texts: list[str], radius: float, size: int, fill: Ink) -> None:
    """Write texts around the dial, the last one at the top."""
    font = ImageFont.load_default(size)
    for number, text in enumerate(texts, 1):
        pen.text(around(360 * number / len(texts), radius), text, fill=fill, font=font, anchor="mm")


def ticks(
    pen: ImageDraw.ImageDraw, count: int, strong: int, radii: tuple[float, float], fill: tuple[int, int, int]
) -> None:
    """Draw marks around the dial, every `strong`-th one longer and wider."""
    for number in range(count):
        heavy = number % strong == 0
        inner = radii[0] - (0.05 if heavy else 0.0)
        angle = 360 * number / count
        pen.line([around(angle, inner), around(angle, radii[1])], fill=fill, width=5 if heavy else 2)


def pale(rng: np.random.Generator, darkest: Ink) -> Ink:
    """Draw the color of a dial's paper or enamel."""
    red, green, blue = (shade + int(rng.integers(0, 18)) for shade in darkest)
    return red, green, blue


def second_dial(pen: ImageDraw.ImageDraw, middle: tuple[float, float], angle: float, ink: Ink) -> None:
    """Draw the small dial with its hand."""
    size = 0.20 * SIZE / 2

    def spot(turn: float, part: float) -> tuple[float, float]:
        return middle[0] + size * part * float(np.sin(turn)), middle[1] - size * part * float(np.cos(turn))

    pen.ellipse([middle[0] - size, middle[1] - size, middle[0] + size, middle[1] + size], outline=ink, width=3)
    for turn in np.linspace(0, 2 * np.pi, 30, endpoint=False).tolist():
        pen.line([spot(turn, 0.78), spot(turn, 0.95)], fill=ink, width=2)
    pen.line([middle, spot(angle, 0.7)], fill=ink, width=5)


def stopwatch_face(rng: np.random.Generator) -> Texture:
    """Draw a face of sixty seconds with a small dial and a hand."""
    dark = rng.random() < 0.2
    paper = (
        (24, 24, 26)
        if dark
        else (int(rng.integers(232, 250)), int(rng.integers(230, 248)), int(rng.integers(220, 244)))
    )
    ink = (235, 235, 230) if dark else (22, 22, 24)
    sheet = Image.new("RGB", (SIZE, SIZE), paper)
    pen = ImageDraw.Draw(sheet)
    ticks(pen, 300 if rng.random() < 0.5 else 60, 25 if rng.random() < 0.5 else 5, (0.88, 0.95), ink)
    ticks(pen, 60, 5, (0.88, 0.95), ink)
    labels(pen, [str(5 * n) for n in range(1, 13)], 0.71, int(rng.integers(44, 60)), ink)
    spot = 0.36 if rng.random() < 0.7 else -0.36
    second_dial(pen, around(0, spot), float(rng.uniform(0, 6.28)), ink)
    red = (200, 30, 25) if rng.random() < 0.5 else ink
    pointer(pen, float(rng.uniform(0, 360)), (0.22, 0.86), 0.022, red)
    hub = 0.05 * SIZE / 2
    pen.ellipse([SIZE / 2 - hub, SIZE / 2 - hub, SIZE / 2 + hub, SIZE / 2 + hub], fill=red)
    return face(sheet)


def compass_face(rng: np.random.Generator) -> Texture:
    """Draw a compass rose with degrees and a needle."""
    paper = pale(rng, (225, 220, 202))
    ink = (30, 28, 30)
    sheet = Image.new("RGB", (SIZE, SIZE), paper)
    pen = ImageDraw.Draw(sheet)
    ticks(pen, 120, 10, (0.90, 0.96), ink)
    labels(pen, [str(30 * n % 360) for n in range(1, 13)], 0.80, 26, ink)
    labels(pen, ["E", "S", "W", "N"], 0.60, int(rng.integers(56, 76)), (150, 25, 20) if rng.random() < 0.4 else ink)
    for step in range(8):
        angle = 45 * ((step * 2 + 1) % 8 if step < 4 else (step - 4) * 2)
        reach = 0.42 if angle % 90 else 0.55
        middle = (SIZE / 2, SIZE / 2)
        for side, fill in ((-1, ink), (1, tuple(int(c * 0.85) for c in paper))):
            pen.polygon([around(angle, reach), around(angle + side * 22.5, 0.14), middle], fill=fill, outline=ink)
    turn = float(rng.uniform(0, 360))
    for flip, fill in ((0, (190, 25, 20)), (180, (240, 240, 240) if rng.random() < 0.5 else (25, 45, 120))):
        pen.polygon(
            [around(turn + flip, 0.70), around(turn + 90, 0.055), around(turn - 90, 0.055)],
            fill=fill,
            outline=(20, 20, 20),
        )
    hub = 0.06 * SIZE / 2
    pen.ellipse([SIZE / 2 - hub, SIZE / 2 - hub, SIZE / 2 + hub, SIZE / 2 + hub], fill=(190, 160, 80), outline=ink)
    return face(sheet)


def face(sheet: Image.Image) -> Texture:
    """Make a dial's texture: linear colors, two units wide, its top towards -x."""
    picture = (np.asarray(sheet, np.float32) / 255) ** np.float32(2.2)
    return Texture.decal(picture, 2.0)


def dial_parts(picture: Texture, center: Floats, pose: Floats, paint: Painter) -> list[Part]:
    """Make a round case with a printed face under a domed glass."""

    def bowl(points: Floats) -> Floats:
        body = cylinder(points, 1.12, 0.2, 0.12)
        inner = cylinder(moved(points, (0, 0.2, 0)), 1.0, 0.12)
        rim = torus(moved(points, (0, 0.19, 0)), 1.06, 0.07)
        return np.minimum(np.maximum(body, -inner), rim)

    def plate(points: Floats) -> Floats:
        return cylinder(moved(points, (0, 0.09, 0)), 1.0, 0.012)

    def print_on(points: Floats) -> Material:
        # Textures are looked up as (column, row) = (x, z); rows run down the picture.
        return Material(picture.at(points[0], -points[2], 0.0), 0.3, 0.03)

    def glass(points: Floats) -> Floats:
        x, y, z = points
        return np.maximum(norm2(norm2(x, z), y + 3.6) - 3.84, norm2(x, z) - 1.0)

    clear = np.array([0.97, 0.98, 0.98], np.float32)
    room = (1.16, 0.32, 1.16)
    return [
        Part(bowl, paint, 1.2, center, pose, bounds=room),
        Part(plate, print_on, 1.2, center, pose, bounds=room),
        Part(glass, print_on, 1.2, center, pose, casts=0.0, glass=clear, bounds=room),
    ]


def crown(points: Floats) -> Floats:
    """Be the button on its stem, the bow around it and the pusher beside it."""
    x, y, z = points
    stem = np.maximum(norm2(x, y) - 0.11, np.abs(z - 1.22) - 0.15)
    knurl = 0.012 * np.cos(np.arctan2(y, x) * 18)
    button = np.maximum(norm2(x, y) - 0.19 - knurl, np.abs(z - 1.42) - 0.10)
    bow = norm2(norm2(x, z - 1.52) - 0.30, y) - 0.045
    c, s = float(np.cos(0.7)), float(np.sin(0.7))
    pusher = np.maximum(norm2(c * x - s * z, y) - 0.10, np.abs(s * x + c * z - 1.2) - 0.16)
    return blend(np.minimum(np.minimum(stem, button), bow), pusher, 0.02)


def casing(rng: np.random.Generator) -> Painter:
    """Choose steel, brass or black lacquer."""
    metal = METALS[rng.integers(len(METALS))]
    return brushed(rng, linear(tinted(rng, metal, 0.05)), 0.85 if metal[0] > 0.5 else 0.2)


def stopwatch(rng: np.random.Generator, frame: Frame) -> Floats:
    """A stopwatch on a table, lying or propped up a little."""
    paint, tilt = casing(rng), float(rng.uniform(0.0, 0.5))
    pose = spin(rng.uniform(-0.7, 0.7), -tilt)
    center = np.array([0, 0.22 + 0.9 * np.sin(tilt), 0], np.float32)
    parts = dial_parts(stopwatch_face(rng), center, pose, paint)
    parts.append(Part(crown, paint, 1.9, center, pose, bounds=(1.0, 0.25, 1.9)))
    return render(on_table(rng, frame, parts, Shot((0, 0.3, 0.2), 1.6, (0.9, 1.25), (45, 88), (-35, 35))))


def magnetic_compass(rng: np.random.Generator, frame: Frame) -> Floats:
    """A compass in a metal case on a table."""
    center, pose = np.array([0, 0.22, 0], np.float32), spin(rng.uniform(-0.9, 0.9))
    parts = dial_parts(compass_face(rng), center, pose, casing(rng))
    return render(on_table(rng, frame, parts, Shot((0, 0.2, 0.0), 1.2, (0.8, 1.2), (35, 88), (-35, 35))))
