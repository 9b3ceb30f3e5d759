"""What a map of a run shows: single pictures where there are few, cells where there are many, and a few thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkcore.analysis.columns import Encoded, Rows
from sparkcore.analysis.filters import Area

POINTS = 3_000  # of more pictures, the cells are drawn
COLORED = 6  # kinds with a color of their own
COLUMNS, LINES = 96, 60  # of cells
PICTURE_COLUMNS, PICTURE_LINES = 10, 6  # a thumbnail in each at most
STEPS = 1_000  # of a place, across the map

Places = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


WHOLE = Area(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold a drawing; places are whole numbers up to STEPS.

    `kinds` are what gives images their color, with their number of images, the most frequent first. `points` is [n, 4]:
    x, y, number of the kind, number of the label in `labels`. `cells` is [n, 4]: column, line, images, number of their
    most frequent kind. Of the two one is empty. `others` [n, 2] are the cells of images that are not chosen. `pictures`
    are rows, `spots` [n, 2] their places and `picture_kinds` their kinds. `images` is the number of all.
    """

    points: Numbers
    cells: Numbers
    others: Numbers
    pictures: Rows
    spots: Numbers
    picture_kinds: Numbers
    kinds: tuple[tuple[str, int], ...]
    labels: tuple[str, ...]
    images: int

    def to_dict(self) -> dict[str, list[int]]:
        """Return points, cells and others as flat lists, as they are sent to a browser."""
        return {name: getattr(self, name).ravel().tolist() for name in ("points", "cells", "others")}


def draw(places: Places, kind: Encoded, label: Encoded, chosen: Rows, view: Area = WHOLE) -> Drawing:
    """Return the drawing of the rows in `view`: `chosen` ones by kind, the others as a shadow."""
    inside = _inside(places, view)
    is_chosen = np.zeros(len(places), np.bool_)
    is_chosen[chosen] = True
    rows, rest = np.flatnonzero(inside & is_chosen), np.flatnonzero(inside & ~is_chosen)
    spots = _spots(places[rows], view)
    codes, kinds = _by_frequency(kind.codes[rows], kind.values)
    columns = _cells_of(spots, COLUMNS, LINES)
    others = np.unique(_cells_of(_spots(places[rest], view), COLUMNS, LINES))
    is_few = len(rows) <= POINTS
    numbers, labels = _by_frequency(label.codes[rows if is_few else rows[:0]], label.values)
    shown = _representatives(spots)
    return Drawing(
        points=np.column_stack([spots, codes, numbers]) if is_few else np.empty((0, 4), np.int64),
        cells=np.empty((0, 4), np.int64) if is_few else _cells(columns, codes),
        others=np.column_stack([others % COLUMNS, others // COLUMNS]),
        pictures=rows[shown],
        spots=spots[shown],
        picture_kinds=codes[shown],
        kinds=kinds,
        labels=tuple(name for name, _ in labels),
        images=len(rows),
    )


def _inside(places: Places, view: Area) -> npt.NDArray[np.bool_]:
    x, y = places.T
    return np.asarray((x >= view.left) & (x <= view.right) & (y >= view.top) & (y <= view.bottom))


def _spots(places: Places, view: Area) -> Numbers:
    span = np.maximum([view.right - view.left, view.bottom - view.top], 1e-9)
    return np.rint((places - [view.left, view.top]) / span * STEPS).astype(np.int64)


def _by_frequency(codes: npt.NDArray[np.int32], names: Sequence[str]) -> tuple[Numbers, tuple[tuple[str, int], ...]]:
    """Return the codes counted from the most frequent one, -1 for none, and the names with their counts."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    places = np.full(len(names) + 1, -1, np.int64)
    places[order] = np.arange(len(order))
    return places[codes], tuple((names[code], int(counts[code])) for code in order)


def _cells_of(spots: Numbers, columns: int, lines: int) -> Numbers:
    column, line = np.minimum(spots * [columns, lines] // STEPS, [columns - 1, lines - 1]).T
    return np.asarray(line * columns + column)


def _cells(cells: Numbers, codes: Numbers) -> Numbers:
    """Return column, line, images and the most frequent kind of each cell with images."""
    width = int(codes.max(initial=0)) + 2
    pairs, counts = np.unique(cells * width + codes + 1, return_counts=True)
    cell, code = pairs // width, pairs % width - 1
    order = np.lexsort((-counts, cell))
    first = order[np.flatnonzero(np.diff(cell[order], prepend=-1))]  # of each cell, its most frequent kind
    images = np.bincount(cells, minlength=COLUMNS * LINES)[cell[first]]
    return np.column_stack([cell[first] % COLUMNS, cell[first] // COLUMNS, images, code[first]])


def _representatives(spots: Numbers) -> Rows:
    """Return, for each large cell, the number of the spot nearest to the middle of those in it, fullest cells first."""
    if not len(spots):
        return np.empty(0, np.int64)
    cells = _cells_of(spots, PICTURE_COLUMNS, PICTURE_LINES)
    count = np.bincount(cells, minlength=PICTURE_COLUMNS * PICTURE_LINES)
    sums = np.column_stack([np.bincount(cells, spots[:, axis], len(count)) for axis in (0, 1)])
    middle = sums / np.maximum(count, 1)[:, None]
    distances = ((spots - middle[cells]) ** 2).sum(axis=1)
    order = np.lexsort((distances, cells))
    first = order[np.flatnonzero(np.diff(cells[order], prepend=-1))]
    return np.asarray(first[np.argsort(-count[cells[first]], kind="stable")])
