from __future__ import annotations

import numpy as np

from sparkcore.analysis.columns import Encoded
from sparkcore.analysis.filters import Area
from sparkcore.analysis.map_drawing import COLUMNS, LINES, PICTURE_COLUMNS, PICTURE_LINES, POINTS, STEPS, draw

PLACES = np.array([[0, 0], [1, 1], [0.5, 0.5], [np.nan, np.nan], [0.505, 0.5]], np.float32)
LABEL = Encoded(np.array([1, 0, 1, -1, 0], np.int32), ("cat", "dog"))


def test_few_pictures_are_points() -> None:
    drawing = draw(PLACES, LABEL, np.array([0, 2, 3]))
    assert drawing.points.tolist() == [[0, 0, 0], [STEPS // 2, STEPS // 2, 0]]
    assert drawing.labels == (("dog", 2),)
    assert drawing.images == 2
    assert drawing.others.tolist() == [[COLUMNS // 2, LINES // 2], [COLUMNS - 1, LINES - 1]]
    assert not len(drawing.cells)
    assert sorted(drawing.pictures.tolist()) == [0, 2]
    assert drawing.spots.tolist() == [drawing.points[[0, 2].index(row), :2].tolist() for row in drawing.pictures]


def test_a_part_is_drawn_larger() -> None:
    drawing = draw(PLACES, LABEL, np.arange(5), Area(0.5, 0.4, 0.51, 0.6))
    assert drawing.points.tolist() == [[0, STEPS // 2, 1], [STEPS // 2, STEPS // 2, 0]]
    assert dict(drawing.labels) == {"cat": 1, "dog": 1}
    assert not len(drawing.others)


def test_many_pictures_are_cells() -> None:
    rng = np.random.default_rng(0)
    count = 10 * POINTS
    places, codes = rng.random((count, 2)).astype(np.float32), rng.integers(-1, 40, count).astype(np.int32)
    drawing = draw(places, Encoded(codes, tuple(map(str, range(40)))), np.arange(count))
    assert not len(drawing.points)
    assert drawing.cells[:, 2].sum() == count
    assert [images for _, images in drawing.labels] == sorted(np.bincount(codes[codes >= 0]), reverse=True)
    cell = np.minimum(np.rint(places * STEPS).astype(int) * [COLUMNS, LINES] // STEPS, [COLUMNS - 1, LINES - 1])
    for column, line, images, label in drawing.cells[::200].tolist():
        inside = codes[(cell == [column, line]).all(axis=1)]
        assert images == len(inside)
        name = int(drawing.labels[label][0]) if label >= 0 else -1
        assert (inside == name).sum() == np.bincount(inside + 1).max()
    assert len(drawing.pictures) == PICTURE_COLUMNS * PICTURE_LINES


def test_nothing_is_drawn_of_nothing() -> None:
    drawing = draw(PLACES[:0], Encoded(np.empty(0, np.int32), ()), np.empty(0, np.int64))
    assert (len(drawing.points), len(drawing.others), len(drawing.pictures), drawing.labels) == (0, 0, 0, ())
