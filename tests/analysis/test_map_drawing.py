from __future__ import annotations

import numpy as np

from sparkcore.analysis.columns import Encoded
from sparkcore.analysis.filters import Area
from sparkcore.analysis.map_drawing import COLUMNS, LINES, PICTURE_COLUMNS, PICTURE_LINES, POINTS, STEPS, draw

PLACES = np.array([[0, 0], [1, 1], [0.5, 0.5], [np.nan, np.nan], [0.505, 0.5]], np.float32)
LABEL = Encoded(np.array([1, 0, 1, -1, 0], np.int32), ("cat", "dog"))


def test_few_pictures_are_points() -> None:
    pet = Encoded(np.array([0, 0, -1, -1, 0], np.int32), ("pet", "toy"))
    drawing = draw(PLACES, pet, LABEL, np.array([0, 2, 3]))
    assert drawing.points.tolist() == [[0, 0, 0, 0], [STEPS // 2, STEPS // 2, -1, 0]]
    assert (drawing.kinds, drawing.labels) == ((("pet", 1),), ("dog",))
    assert drawing.images == 2
    assert drawing.others.tolist() == [[COLUMNS // 2, LINES // 2], [COLUMNS - 1, LINES - 1]]
    assert not len(drawing.cells)
    assert sorted(drawing.pictures.tolist()) == [0, 2]
    assert dict(zip(drawing.pictures.tolist(), drawing.picture_kinds.tolist(), strict=True)) == {0: 0, 2: -1}
    assert drawing.spots.tolist() == [drawing.points[[0, 2].index(row), :2].tolist() for row in drawing.pictures]


def test_a_part_is_drawn_larger() -> None:
    drawing = draw(PLACES, LABEL, LABEL, np.arange(5), Area(0.5, 0.4, 0.51, 0.6))
    assert drawing.points.tolist() == [[0, STEPS // 2, 1, 1], [STEPS // 2, STEPS // 2, 0, 0]]
    assert dict(drawing.kinds) == {"cat": 1, "dog": 1}
    assert not len(drawing.others)


def test_many_pictures_are_cells() -> None:
    rng = np.random.default_rng(0)
    count = 10 * POINTS
    places, codes = rng.random((count, 2)).astype(np.float32), rng.integers(-1, 40, count).astype(np.int32)
    kind = Encoded(codes, tuple(map(str, range(40))))
    drawing = draw(places, kind, kind, np.arange(count))
    assert (len(drawing.points), drawing.labels) == (0, ())
    assert drawing.cells[:, 2].sum() == count
    assert [images for _, images in drawing.kinds] == sorted(np.bincount(codes[codes >= 0]), reverse=True)
    cell = np.minimum(np.rint(places * STEPS).astype(int) * [COLUMNS, LINES] // STEPS, [COLUMNS - 1, LINES - 1])
    for column, line, images, number in drawing.cells[::200].tolist():
        inside = codes[(cell == [column, line]).all(axis=1)]
        assert images == len(inside)
        name = int(drawing.kinds[number][0]) if number >= 0 else -1
        assert (inside == name).sum() == np.bincount(inside + 1).max()
    assert len(drawing.pictures) == PICTURE_COLUMNS * PICTURE_LINES


def test_nothing_is_drawn_of_nothing() -> None:
    nothing = Encoded(np.empty(0, np.int32), ())
    drawing = draw(PLACES[:0], nothing, nothing, np.empty(0, np.int64))
    assert (len(drawing.points), len(drawing.others), len(drawing.pictures), drawing.kinds) == (0, 0, 0, ())
