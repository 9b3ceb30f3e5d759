"""How far two batches of images differ: labels, scores and, where runs keep them, embeddings.

Each batch is a run of its own over other images. All tests share one level: their number is taken into account, so that
two random halves of one folder raise an alarm in at most one of a hundred cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Rows, encode, floats, is_ok
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import percent
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from sparkcore.runs.vectors import check_comparable, has_embeddings, map_vectors

LEVEL = 0.01
SHOWN = 24  # images least like the other batch
_PERMUTATIONS = 999
_MOST_EMBEDDINGS = 500  # of each side, for the test; its cost grows with the square
_NEIGHBORS_AT_ONCE = 2_000
_MOST_NEIGHBORS = 5_000  # of batch A, chosen by chance
_Z = 2.5758  # of a 99 % interval

Vectors = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Drift:
    """Hold how batch B differs from batch A.

    `labels` has the labels of both, the largest change first: name, count_a, count_b, share_a, share_b, change with
    the ends `low` and `high` of its 99 % interval, p_value and `alarm`. `score_p` is that of the test of Kolmogorov
    and Smirnov, `embedding_p` that of the energy test, None without embeddings. `strange` are the rows of B least like
    A, the strangest first. `alarm` tells whether any test fires at LEVEL, corrected for their number.
    """

    images_a: int
    images_b: int
    labels: pa.Table
    score_distance: float
    score_p: float
    embedding_p: float | None
    strange: Rows
    alarm: bool

    def sentence(self) -> str:
        """Say in words whether the batches differ, and where."""
        if not self.alarm:
            return "Nothing differs more than two random halves of one folder would."
        changed = self.labels.filter(self.labels["alarm"]).slice(0, 3).to_pylist()
        said = [f"{row['name']} {percent(row['share_a'])} → {percent(row['share_b'])}" for row in changed]
        said += ["the scores"] if self.score_p < LEVEL / 3 else []
        said += ["the embeddings"] if self.embedding_p is not None and self.embedding_p < LEVEL / 3 else []
        return f"The batches differ: {', '.join(said)}."


def run_vectors(store: RunStore, a: Manifest, b: Manifest) -> tuple[Vectors, Vectors] | None:
    """Return the embeddings of the readable images of two runs; None where distances between them mean nothing."""
    if not (has_embeddings(a) and has_embeddings(b)):
        return None
    try:
        check_comparable(a, b)
        readable = [is_ok(map_results(store, one.run_id)) for one in (a, b)]
        found = [map_vectors(store, one.run_id).embeddings[rows] for one, rows in zip((a, b), readable, strict=True)]
    except (RequestError, OSError):  # other models, or a state folder that this user may only read
        return None
    return found[0], found[1]


def measure_drift(a: pa.Table, b: pa.Table, vectors: tuple[Vectors, Vectors] | None = None) -> Drift:
    """Compare two results of different images.

    `vectors` are the embeddings of the readable rows of both, None where a run keeps none. Raises RequestError where a
    batch has no readable image.
    """
    rows_a, rows_b = np.flatnonzero(is_ok(a)), np.flatnonzero(is_ok(b))
    if not len(rows_a) or not len(rows_b):
        raise RequestError("Expected readable images in both runs, received none in one of them.")
    families = 2 if vectors is None else 3
    labels = _labels(a, b, LEVEL / families)
    distance, score_p = _kolmogorov_smirnov(floats(a, "score", rows_a), floats(b, "score", rows_b))
    embedding_p = None if vectors is None else energy_test(*vectors)
    unusual = _unlikely(a, b, rows_a, rows_b) if vectors is None else _far(*vectors)
    level = LEVEL / families
    alarm = (
        bool(pc.any(labels["alarm"]).as_py()) or score_p < level or (embedding_p is not None and embedding_p < level)
    )
    strange = rows_b[np.argsort(-unusual, kind="stable")][:SHOWN]
    return Drift(len(rows_a), len(rows_b), labels, distance, score_p, embedding_p, strange, alarm)


def energy_test(a: Vectors, b: Vectors, seed: int = 0) -> float:
    """Return the p-value of the energy test of two samples of vectors, by permutation of a random part of each.

    Source: Székely and Rizzo, "Testing for equal distributions in high dimension", InterStat 5 (2004).
    """
    generator = np.random.default_rng(seed)
    parts = [one[generator.permutation(len(one))[:_MOST_EMBEDDINGS]].astype(np.float32) for one in (a, b)]
    both, size = np.concatenate(parts), len(parts[0])
    distances = _distances(both, both)
    sums = distances.sum(axis=1)
    total, count = float(sums.sum()), len(both)

    def statistic(chosen: npt.NDArray[np.int64]) -> float:
        rest, of_chosen = count - size, float(sums[chosen].sum())
        inside = float(distances[np.ix_(chosen, chosen)].sum())
        between = of_chosen - inside
        outside = total - inside - 2 * between
        return 2 * between / (size * rest) - inside / size**2 - outside / rest**2

    seen = statistic(np.arange(size))
    hits = sum(statistic(generator.permutation(count)[:size]) >= seen for _ in range(_PERMUTATIONS))
    return (1 + hits) / (1 + _PERMUTATIONS)


def _labels(a: pa.Table, b: pa.Table, level: float) -> pa.Table:
    """Return the labels of both with Fisher's exact test of each, corrected for their number (Bonferroni)."""
    from scipy.stats import fisher_exact

    counts = [pc.value_counts(one["label"].drop_null()).to_pylist() for one in (a, b)]
    by_name = [{row["values"]: row["counts"] for row in one} for one in counts]
    names = sorted(set(by_name[0]) | set(by_name[1]))
    left, right = (np.array([one.get(name, 0) for name in names], dtype=np.int64) for one in by_name)
    whole_a, whole_b = int(left.sum()), int(right.sum())
    tables = [[[x, whole_a - x], [y, whole_b - y]] for x, y in zip(left.tolist(), right.tolist(), strict=True)]
    p_values = np.array([float(fisher_exact(one).pvalue) for one in tables])
    share_a, share_b = left / whole_a, right / whole_b
    change, low, high = _difference(left, right, whole_a, whole_b)
    order = np.argsort(-np.abs(change), kind="stable")
    columns = {
        "name": np.array(names, dtype=object),
        "count_a": left,
        "count_b": right,
        "share_a": share_a,
        "share_b": share_b,
        "change": change,
        "low": low,
        "high": high,
        "p_value": p_values,
        "alarm": p_values < level / len(names),
    }
    return pa.table({name: pa.array(values[order].tolist()) for name, values in columns.items()})


def _difference(
    a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], whole_a: int, whole_b: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the change of shares and its 99 % interval.

    Source: Agresti and Caffo, "Simple and effective confidence intervals for proportions and differences of
    proportions", The American Statistician 54 (2000).
    """
    p, q = (a + 1) / (whole_a + 2), (b + 1) / (whole_b + 2)
    width = _Z * np.sqrt(p * (1 - p) / (whole_a + 2) + q * (1 - q) / (whole_b + 2))
    change = b / whole_b - a / whole_a
    return change, np.minimum(q - p - width, change), np.maximum(q - p + width, change)


def _kolmogorov_smirnov(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> tuple[float, float]:
    from scipy.stats import ks_2samp

    found = ks_2samp(a, b)
    return float(found.statistic), float(found.pvalue)


def _unlikely(a: pa.Table, b: pa.Table, rows_a: Rows, rows_b: Rows) -> npt.NDArray[np.float64]:
    """Return how strange the images of B are by label and score: labels that A hardly has, and unusual scores."""
    known = encode(a["label"]).at(rows_a)
    shares = np.bincount(known.codes, minlength=len(known.values)) / len(rows_a)
    share_of = dict(zip(known.values, shares.tolist(), strict=True))
    labels = encode(b["label"]).at(rows_b)
    rarity = -np.log(np.array([share_of.get(name, 0.0) + 0.5 / len(rows_a) for name in labels.values]))
    ranks = np.searchsorted(np.sort(floats(a, "score", rows_a)), floats(b, "score", rows_b)) / len(rows_a)
    return rarity[labels.codes] + np.abs(ranks - 0.5)


def _far(a: Vectors, b: Vectors) -> npt.NDArray[np.float64]:
    """Return the distance of each vector of B to the nearest one of A, or of a random part of it."""
    a = a[np.sort(np.random.default_rng(0).permutation(len(a))[:_MOST_NEIGHBORS])]
    starts = range(0, len(b), _NEIGHBORS_AT_ONCE)
    return np.concatenate([_distances(b[start : start + _NEIGHBORS_AT_ONCE], a).min(axis=1) for start in starts])


def _distances(a: Vectors, b: Vectors) -> npt.NDArray[np.float64]:
    left, right = a.astype(np.float64), b.astype(np.float64)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * left @ right.T
    return np.sqrt(np.maximum(squares, 0))
