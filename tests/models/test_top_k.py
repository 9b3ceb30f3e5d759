from __future__ import annotations

import numpy as np
import pytest

from sparkcore.errors import ConfigError
from sparkcore.models.top_k import entropy, margin, top_k

ROWS = np.array([[0.1, 0.6, 0.3], [0.25, 0.5, 0.25]], np.float32)


def test_best_come_first_and_ties_in_order_of_index():
    result = top_k(ROWS, 3)
    assert result.indices.tolist() == [[1, 2, 0], [1, 0, 2]]
    np.testing.assert_array_equal(result.scores, np.array([[0.6, 0.3, 0.1], [0.5, 0.25, 0.25]], np.float32))
    assert result.scores.dtype == np.float32


def test_many_ties_at_the_last_place():
    result = top_k(np.full((1, 1000), 0.001, np.float32), 5)
    assert result.indices.tolist() == [[0, 1, 2, 3, 4]]


def test_k_above_the_classes_gives_all_of_them():
    assert top_k(ROWS, 10).indices.shape == (2, 3)


def test_agrees_with_a_plain_sort():
    rows = np.random.default_rng(0).dirichlet(np.ones(1000), 16).astype(np.float32)
    result = top_k(rows, 5)
    for row, indices in zip(rows, result.indices, strict=True):
        assert indices.tolist() == sorted(range(1000), key=lambda i: (-row[i], i))[:5]


def test_no_images():
    empty = np.empty((0, 7), np.float32)
    assert top_k(empty, 5).indices.shape == (0, 5)
    assert margin(empty).shape == entropy(empty).shape == (0,)


@pytest.mark.parametrize(("rows", "k"), [(ROWS, 0), (ROWS[0], 1)])
def test_wrong_requests(rows: np.ndarray, k: int):
    with pytest.raises(ConfigError):
        top_k(rows, k)


def test_margin():
    np.testing.assert_allclose(margin(ROWS), [0.3, 0.25], atol=1e-7)
    np.testing.assert_array_equal(margin(np.array([[0.9]], np.float32)), np.array([0.9], np.float32))


def test_entropy_is_in_nats():
    rows = np.array([[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0]], np.float32)
    np.testing.assert_allclose(entropy(rows), [0.0, np.log(4), np.log(2)], atol=1e-7)
