from __future__ import annotations

import numpy as np
import pytest

from training.metrics import calibration_error, fit_temperature, softmax, top_k_hits


def test_top_k_hits():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5]])
    labels = np.array([0, 2, 0], np.int32)
    assert top_k_hits(probabilities, labels, 1).tolist() == [True, False, False]
    assert top_k_hits(probabilities, labels, 2).tolist() == [True, True, False]


def test_calibration_error_is_the_gap_between_score_and_share_of_hits():
    # All four scores of 0.8 lie in one bin, where half of the answers are right; both scores of 0.6 are right.
    probabilities = np.array([[0.8, 0.2]] * 4 + [[0.6, 0.4]] * 2)
    labels = np.array([0, 0, 1, 1, 0, 0], np.int32)
    assert calibration_error(probabilities, labels) == pytest.approx((4 * 0.3 + 2 * 0.4) / 6)


def test_fit_temperature_finds_the_factor_that_made_logits_too_sure():
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 1.5, (20_000, 5))
    labels = np.array([rng.choice(5, p=row) for row in softmax(logits)], np.int32)
    assert fit_temperature(logits * 2.5, labels) == pytest.approx(2.5, rel=0.05)
