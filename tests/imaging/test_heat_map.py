from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sparkcore.config import Fit
from sparkcore.imaging.decode import ImageSize
from sparkcore.imaging.heat_map import Box, draw_heat, heat_map_png, seen_box
from tests.imaging.pictures import save


def test_what_the_model_saw() -> None:
    picture, model = ImageSize(300, 400), ImageSize(100, 100)
    assert seen_box(picture, model, Fit("stretch")) == Box(0, 0, 400, 300)
    assert seen_box(picture, model, Fit("crop")) == Box(50, 0, 350, 300)
    assert seen_box(picture, model, Fit("crop", 0.5)) == Box(125, 75, 275, 225)
    assert seen_box(picture, model, Fit("pad")) == Box(0, -50, 400, 350)


def test_colors_lie_where_the_evidence_is() -> None:
    evidence = np.array([[1.0, 0.0], [0.0, -1.0]], np.float32)
    gray = Image.new("RGB", (80, 40), (128, 128, 128))
    for box in (Box(0, 0, 80, 40), Box(20, 0, 60, 40), Box(0, -20, 80, 60)):
        drawn = np.asarray(draw_heat(gray, evidence, box)).astype(int)
        warm = drawn[..., 0] - drawn[..., 2]
        left, right = max(int(box.left), 0), min(int(box.right), 80) - 1
        assert warm[0, left] > 50
        assert warm[-1, right] < -50
        assert (drawn[:, : max(int(box.left), 0)] == 128).all()
    assert (np.asarray(draw_heat(gray, np.zeros((2, 2), np.float32), Box(0, 0, 80, 40))) == 128).all()


def test_a_file_becomes_a_png_of_its_upright_size() -> None:
    content = save(Image.new("RGB", (60, 30), "white"), "JPEG", exif=_turned())
    png = heat_map_png(content, np.ones((7, 7), np.float32), ImageSize(32, 32), Fit("stretch"))
    with Image.open(io.BytesIO(png)) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (30, 60))
        assert drawn.getpixel((15, 30))[0] > drawn.getpixel((15, 30))[2] + 100


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif
