"""The most similar pictures of a run, by the cosine of embeddings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sparkcore.analysis.columns import Rows
from sparkcore.runs.vectors import Vectors

RANKED = 1_000  # rows that are compared exactly
_BLOCK_ROWS = 65_536


class Neighbors(NamedTuple):
    """Hold rows of a run, the most similar first, and their cosine similarity to the picture asked for."""

    rows: Rows
    similarities: npt.NDArray[np.float32]


def neighbors(
    vectors: Vectors, wanted: npt.NDArray[np.generic], count: int, *, exclude: int | None = None
) -> Neighbors:
    """Return the `count` rows whose embeddings are most similar to `wanted` [length]; the row `exclude` is left out.

    The short vectors choose RANKED candidates, which are then ranked by their embeddings.
    """
    target = np.asarray(wanted, np.float32)
    candidates = _candidates(vectors, target)
    found = np.asarray(vectors.embeddings[candidates], np.float32)
    similarities = (found @ target) / np.maximum(np.linalg.norm(found, axis=1) * np.linalg.norm(target), 1e-6)
    is_kept = found.any(axis=1) & (candidates != (-1 if exclude is None else exclude))
    candidates, similarities = candidates[is_kept], similarities[is_kept]
    best = np.lexsort((candidates, -similarities))[:count]
    return Neighbors(candidates[best], similarities[best].astype(np.float32))


def _candidates(vectors: Vectors, target: npt.NDArray[np.float32]) -> Rows:
    """Return the sorted rows that are nearest to the target by the short vectors."""
    rows = len(vectors.short)
    if rows <= RANKED:
        return np.arange(rows)
    probe = (target - vectors.center) @ vectors.axes
    distances = np.empty(rows, np.float32)
    for start in range(0, rows, _BLOCK_ROWS):
        block = vectors.short[start : start + _BLOCK_ROWS].astype(np.float32)
        distances[start : start + len(block)] = np.einsum("ij,ij->i", block, block) - 2 * (block @ probe)
    return np.sort(np.argpartition(distances, RANKED)[:RANKED])
