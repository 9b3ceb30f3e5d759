"""The map of a run: a place for each picture, near those of similar pictures.

A random sample of the pictures, the landmarks, is laid out by t-SNE (van der Maaten 2014, "Accelerating t-SNE using
Tree-Based Algorithms"). All others go between the landmarks that are nearest to them, and are then drawn to the
pictures that are most similar to them. The same pictures always give the same map.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sparkcore.analysis.columns import Rows
from sparkcore.analysis.layout_cells import divide, similar_rows
from sparkcore.progress import Step, Watch
from sparkcore.runs.layouts import Layout
from sparkcore.runs.vectors import Vectors

LANDMARKS = 3_000
NEIGHBORS, WITHIN = 10, 50  # how many of a picture's most similar ones are among its nearest on the map
_PERPLEXITY = 30.0
_ITERATIONS = 500
_ANGLE = 0.7  # of what is far away and taken as one point: larger is faster
_FOR_THREADS = 1_500
_FEW = 5  # pictures, of which t-SNE makes nothing
_SEED = 0
_NEAREST = 5  # landmarks between which a picture goes
_SHARPNESS = 3.0  # of the weights of these landmarks
_REACH = 5.0  # typical distances between landmarks on the map; those farther away do not count
_SWEEPS = 15
_DRAWN = 0.9  # share of a place that a picture takes from the most similar ones; the rest keeps them apart
_SIMILAR_SHARPNESS = 8.0  # of the weights of the most similar pictures
_ASKED = 200  # pictures on which the map is measured
_BLOCK_ROWS = 65_536

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.float32]


def lay_out(vectors: Vectors, watch: Watch | None = None, landmarks: int = LANDMARKS) -> Layout:
    """Return the map of all images with an embedding, of which at most `landmarks` are laid out by t-SNE."""
    watch = watch or Watch()
    rows = _with_embedding(vectors)
    rng = np.random.default_rng(_SEED)
    chosen = np.sort(rng.choice(rows, min(landmarks, len(rows)), replace=False))
    watch.progress(Step("laying out landmarks", len(chosen), len(chosen)))
    found = _tsne(vectors.at(chosen))
    if len(chosen) < len(rows):
        found = _place_others(vectors, rows, np.searchsorted(rows, chosen), found, watch)
    places = np.full((len(vectors.short), 2), np.nan, np.float32)
    places[rows] = _from_0_to_1(found)
    watch.progress(Step("measuring the map"))
    return Layout(places, kept_share(vectors, places, rows))


def kept_share(vectors: Vectors, places: Places, rows: Rows) -> float:
    """Return the mean share of the NEIGHBORS most similar pictures that are among the WITHIN nearest ones on the map.

    It is measured on at most 200 of `rows`, which have a place, against all of them; 1 where there are only so few.
    """
    from scipy.spatial import KDTree

    if len(rows) <= WITHIN + 1:
        return 1.0
    asked = np.sort(np.random.default_rng(_SEED + 1).choice(rows, min(_ASKED, len(rows)), replace=False))
    _, nearest = KDTree(places[rows]).query(places[asked], WITHIN + 1)
    similar = _most_similar(vectors, rows, asked)
    shares = [
        len(np.intersect1d(alike, near[near != own])) / len(alike)
        for own, alike, near in zip(asked, similar, rows[nearest], strict=True)
    ]
    return float(np.mean(shares))


def _with_embedding(vectors: Vectors) -> Rows:
    blocks = range(0, len(vectors.embeddings), _BLOCK_ROWS)
    bits = vectors.embeddings.view(np.uint16)
    found = [bits[start : start + _BLOCK_ROWS].any(axis=1) for start in blocks]
    return np.flatnonzero(np.concatenate([np.empty(0, np.bool_), *found]))


def _tsne(points: npt.NDArray[np.float32]) -> Places:
    """Return places by t-SNE, which begins with the two main axes of the points."""
    if not len(points):
        return np.empty((0, 2), np.float32)
    centered = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centered.T @ centered)
    start = (centered @ axes[:, :-3:-1]).astype(np.float32)
    start /= max(float(start[:, 0].std()), 1e-6)
    if len(points) < _FEW:
        return start
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start += 1e-3 * np.random.default_rng(_SEED).standard_normal(start.shape).astype(np.float32)  # equal pictures
    model = TSNE(
        perplexity=min(_PERPLEXITY, (len(points) - 1) / 3),
        init=1e-4 * start,
        max_iter=_ITERATIONS,
        angle=_ANGLE,
        random_state=_SEED,
    )
    # For few points, threads wait for each other longer than they compute.
    with threadpool_limits(1 if len(points) < _FOR_THREADS else None):
        return np.asarray(model.fit_transform(points), np.float32)


def _place_others(vectors: Vectors, rows: Rows, landmarks: Rows, found: Places, watch: Watch) -> Places:
    """Return the places of `rows`, where those of rows[landmarks] are known."""
    short = vectors.short[rows]
    cells = divide(short, landmarks, watch)
    places = np.empty((len(rows), 2), np.float32)
    spacing = float(np.sqrt(np.prod(np.ptp(found, axis=0)) / len(found)))
    for distances, nearest, own in cells.nearest_landmarks(short, _NEAREST):
        places[own] = _between(distances, found[nearest], _REACH * spacing)
    places[landmarks] = found
    similar = similar_rows(vectors, rows, cells, watch)
    weights = _weights(similar.distances, _SIMILAR_SHARPNESS, similar.distances.min(axis=1, keepdims=True))
    drawn = places
    for sweep in range(_SWEEPS):
        watch.progress(Step("drawing similar images together", sweep + 1, _SWEEPS, unit="times"))
        watch.check()
        drawn = (1 - _DRAWN) * places + _DRAWN * np.einsum("nk,nkd->nd", weights, drawn[similar.rows])
    return np.asarray(drawn, np.float32)


def _weights(distances: Floats, sharpness: float, unit: Floats) -> Floats:
    """Return weights that sum to 1, [n, k]: the least distance has the largest one."""
    weights = np.exp(-sharpness * (distances - distances.min(axis=1, keepdims=True)) / np.maximum(unit, 1e-6))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _between(distances: Floats, found: Places, reach: float) -> Places:
    """Return the weighted mean of the nearest landmarks' places [n, k, 2]; nearest ones weigh most, strays nothing.

    `distances` are squared and sorted, [n, k].
    """
    weights = _weights(distances, _SHARPNESS, distances[:, -1:] - distances[:, :1])
    is_near = np.abs(found - np.median(found, axis=1, keepdims=True)).max(axis=2) <= reach
    weights = np.where(is_near.any(axis=1, keepdims=True), weights * is_near, weights)
    return np.asarray(np.einsum("nk,nkd->nd", weights, found) / weights.sum(axis=1, keepdims=True), np.float32)


def _from_0_to_1(found: Places) -> Places:
    """Return the places, each axis stretched from 0 to 1."""
    if not len(found):
        return found
    low, span = found.min(axis=0), np.ptp(found, axis=0)
    return np.asarray(np.where(span > 0, (found - low) / np.maximum(span, 1e-12), 0.5), np.float32)


def _most_similar(vectors: Vectors, rows: Rows, asked: Rows) -> Rows:
    """Return the NEIGHBORS rows most similar to each of `asked`, among `rows`, by their embeddings."""
    wanted = vectors.at(asked).T
    best = np.full((NEIGHBORS, len(asked)), -np.inf, np.float32)
    found = np.zeros((NEIGHBORS, len(asked)), np.int64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS]
        similarities = vectors.at(block) @ wanted
        similarities[block[:, None] == asked] = -np.inf
        kept = min(NEIGHBORS, len(block))
        top = np.argpartition(-similarities, kept - 1, axis=0)[:kept]
        best = np.concatenate([best, np.take_along_axis(similarities, top, axis=0)])
        found = np.concatenate([found, block[top]])
        order = np.argsort(-best, axis=0, kind="stable")[:NEIGHBORS]
        best, found = np.take_along_axis(best, order, axis=0), np.take_along_axis(found, order, axis=0)
    return found.T
