from __future__ import annotations

import numpy as np

from sparkcore.analysis.similarity import neighbors
from sparkcore.runs.vectors import Vectors

ROWS, LENGTH = 5_000, 128


def vectors_of(values: np.ndarray) -> Vectors:
    """Return vectors as a run has them; the short ones keep half of the axes."""
    units = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    axes = np.linalg.qr(np.random.default_rng(9).standard_normal((values.shape[1],) * 2))[0][:, :64]
    center = units.mean(axis=0)
    scale = 127 / max(np.abs((units - center) @ axes).max(), 1e-6)
    short = np.rint((units - center) @ axes * scale).astype(np.int8)
    return Vectors(units.astype(np.float16), short, center.astype(np.float32), (axes * scale).astype(np.float32))


def test_the_most_similar_first() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((ROWS, LENGTH)).astype(np.float32)
    planted = rng.choice(ROWS, 20, replace=False)
    values[planted[1:]] = values[planted[0]] + np.linspace(0.02, 0.15, 19)[:, None] * rng.standard_normal((19, LENGTH))
    values[17 if 17 not in planted else 18] = 0  # an image that could not be read
    vectors = vectors_of(values)
    found = neighbors(vectors, vectors.embeddings[planted[0]], 19, exclude=int(planted[0]))
    units = vectors.embeddings.astype(np.float32)
    expected = units @ units[planted[0]]
    order = np.argsort(-expected, kind="stable")
    assert found.rows.tolist() == [row for row in order if row != planted[0]][:19]
    np.testing.assert_allclose(found.similarities, expected[found.rows], atol=1e-3)
    assert neighbors(vectors, vectors.embeddings[planted[0]], 1).rows.tolist() == [planted[0]]


def test_of_few_images_all_are_ranked() -> None:
    vectors = vectors_of(np.eye(70)[:4] + 0.1)
    found = neighbors(vectors, vectors.embeddings[2], 10, exclude=2)
    assert sorted(found.rows.tolist()) == [0, 1, 3]
