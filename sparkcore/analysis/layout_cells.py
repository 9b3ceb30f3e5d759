"""The images of a run divided among landmarks, by their short vectors, so that each is compared with few others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from sparkcore.analysis.columns import Rows
from sparkcore.progress import Step, Watch
from sparkcore.runs.vectors import Vectors

SIMILAR = 5  # rows that `similar_rows` finds for each row
_BLOCK_ROWS = 256  # so that their distances to all landmarks stay in the processor's cache
_LONGEST_BLOCK = 1_024
_AROUND = 16  # landmarks around one
_COMPARED = 800  # rows with which one row is compared
_TOLD_EVERY = 50_000

Bytes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.int32]
A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Cells:
    """Hold the rows of each landmark: those to which it is the nearest one.

    The rows of landmark i are `order[starts[i] : starts[i + 1]]`, and `around[i]` are the landmarks nearest to it,
    itself first.
    """

    landmarks: Rows
    order: Rows
    starts: Rows
    around: Index

    def rows(self, landmark: int) -> Rows:
        """Return the rows of a landmark."""
        return self.order[self.starts[landmark] : self.starts[landmark + 1]]

    def nearest_landmarks(self, short: Bytes, count: int) -> Iterator[tuple[Floats, Index, Rows]]:
        """Yield squared distances and numbers of the nearest landmarks, both [n, count], of rows, for all rows."""
        for landmark, near in enumerate(self.around):
            centers = _floats(short, self.landmarks[near])
            for rows in _pieces(self.rows(landmark)):
                distances = _distances(_floats(short, rows), centers)
                order = np.argsort(distances, axis=1)[:, :count]
                yield np.take_along_axis(distances, order, axis=1), near[order], rows


class Similar(NamedTuple):
    """Hold the rows most similar to each row, in any order, and their squared distances, both [n, SIMILAR]."""

    rows: Index
    distances: Floats


def divide(short: Bytes, landmarks: Rows, watch: Watch) -> Cells:
    """Divide all rows among landmarks."""
    centers = _floats(short, landmarks)
    nearest = np.empty(len(short), np.int32)
    table = np.vstack([centers.T, -_squares(centers) / 2])

    def assign(start: int) -> None:
        block = short[start : start + _BLOCK_ROWS].astype(np.float32)
        closeness = np.hstack([block, np.ones((len(block), 1), np.float32)]) @ table
        nearest[start : start + len(block)] = np.argmax(closeness, axis=1)

    for done, _ in enumerate(_in_threads(assign, range(0, len(short), _BLOCK_ROWS))):
        if done * _BLOCK_ROWS % _TOLD_EVERY < _BLOCK_ROWS:
            watch.check()
            watch.progress(Step("placing images", done * _BLOCK_ROWS, len(short)))
    starts = np.concatenate([[0], np.cumsum(np.bincount(nearest, minlength=len(landmarks)))])
    around = np.argsort(_distances(centers, centers), axis=1, kind="stable")[:, :_AROUND]
    return Cells(landmarks, np.argsort(nearest, kind="stable"), starts, around.astype(np.int32))


def similar_rows(vectors: Vectors, rows: Rows, cells: Cells, watch: Watch) -> Similar:
    """Return the rows most similar to each of `rows`, which are divided by `cells`, by their embeddings.

    They are sought among the rows of its landmark and of the ones around it. A row with fewer others has itself.
    """
    found = Similar(
        np.repeat(np.arange(len(rows), dtype=np.int32)[:, None], SIMILAR, axis=1),
        np.zeros((len(rows), SIMILAR), np.float32),
    )

    def search(landmark: int) -> int:
        others = _gathered(cells, landmark)
        known = _embeddings(vectors, rows[others])
        count = min(SIMILAR, len(others) - 1)
        for own in _pieces(cells.rows(landmark)):
            if count > 0:
                distances = _distances(_embeddings(vectors, rows[own]), known)
                distances[own[:, None] == others] = np.inf
                nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
                found.rows[own, :count] = others[nearest]
                found.distances[own, :count] = np.take_along_axis(distances, nearest, axis=1)
        return len(cells.rows(landmark))

    done = told = 0
    for count in _in_threads(search, range(len(cells.landmarks))):
        done += count
        if done - told >= _TOLD_EVERY:
            told = done
            watch.check()
            watch.progress(Step("comparing images", done, len(rows)))
    return found


def _gathered(cells: Cells, landmark: int) -> Rows:
    """Return the rows around a landmark, nearest landmarks first, at most _COMPARED of them, evenly from each."""
    found: list[Rows] = []
    left = _COMPARED
    for near in cells.around[landmark]:
        rows = cells.rows(int(near))
        rows = rows[:: -(-len(rows) // left)] if len(rows) > left else rows
        found.append(rows)
        left -= len(rows)
        if left <= 0:
            break
    return np.concatenate(found)


def _in_threads(work: Callable[[A], R], items: Iterable[A]) -> Iterator[R]:
    """Yield the results of work on items in order, done by as many threads as there are cores."""
    from threadpoolctl import threadpool_limits

    # One thread of the linear algebra in each of ours: they would get in each other's way.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(work, items)


def _pieces(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), _LONGEST_BLOCK):
        yield rows[start : start + _LONGEST_BLOCK]


def _floats(short: Bytes, rows: Rows) -> Floats:
    return short[rows].astype(np.float32)


def _embeddings(vectors: Vectors, rows: Rows) -> Floats:
    return np.asarray(vectors.embeddings[rows], np.float32)  # mapped: in the end, all of them are read


def _squares(vectors: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors), np.float32)


def _distances(left: Floats, right: Floats) -> Floats:
    return np.asarray(_squares(left)[:, None] - 2 * (left @ right.T) + _squares(right), np.float32)
