from __future__ import annotations

import numpy as np
import pytest

from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.analysis.sampling import MARGIN, draw_sample, estimate

DRAWS = 1000


def population(images: int, skill: float) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, and which predictions are correct; a small `skill` is a model better than its scores."""
    generator = np.random.default_rng(7)
    share = generator.beta(3, 1, images)
    return share.astype(np.float32), generator.random(images) < share**skill


def test_the_exact_interval_is_that_of_the_literature() -> None:
    # Brown, Cai, DasGupta 2001 and any table of the rule of three.
    assert clopper_pearson(0, 30) == pytest.approx((0.0, 0.11570), abs=1e-5)
    assert clopper_pearson(30, 30) == pytest.approx((0.88430, 1.0), abs=1e-5)
    assert clopper_pearson(8, 10) == pytest.approx((0.44390, 0.97479), abs=1e-5)
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert clopper_pearson(59, 59, 0.9)[0] == pytest.approx(0.05 ** (1 / 59))


@pytest.mark.parametrize(("images", "seen", "skill"), [(300, 60, 1), (2000, 150, 1), (2000, 150, 4), (2000, 60, 0.1)])
def test_the_interval_holds_the_truth_and_is_narrower_than_that_of_a_simple_sample(
    images: int, seen: int, skill: float
) -> None:
    score, correct = population(images, skill)
    rows, judged, truth = np.arange(images), np.ones(images, dtype=bool), correct.mean()
    low, high = clopper_pearson(seen * truth, seen)
    held, width = 0, 0.0
    for seed in range(DRAWS):
        sample = draw_sample(rows, score, seed)
        found = estimate(sample, correct[sample.rows], judged, seen)
        assert found is not None
        held += found.low <= truth <= found.high
        width += (found.high - found.low) / DRAWS
    assert held >= 935
    assert width < high - low


def test_more_pictures_are_as_many_as_needed() -> None:
    score, correct = population(5000, 1)
    sample = draw_sample(np.arange(5000), score, 1)
    judged = np.ones(5000, dtype=bool)
    first = estimate(sample, correct[sample.rows], judged, 200)
    assert first is not None
    last = estimate(sample, correct[sample.rows], judged, 200 + first.more)
    assert last is not None
    assert first.high - first.low > 2 * MARGIN
    assert (last.high - last.low) / 2 == pytest.approx(MARGIN, rel=0.15)


def test_the_ends_of_a_sample() -> None:
    score, correct = population(200, 1)
    sample = draw_sample(np.arange(200) + 50, score, 3)
    assert sorted(sample.rows) == list(range(50, 250))
    right, judged = correct[sample.rows - 50], np.ones(200, dtype=bool)
    whole = estimate(sample, right, judged, 200)
    assert whole is not None
    assert (whole.images, whole.judged, whole.unclear, whole.more) == (200, 200, 0, 0)
    assert whole.low == whole.high == whole.accuracy == pytest.approx(correct.mean())
    assert estimate(sample, right, judged, 3) is None  # not yet one of each stratum
    judged[:10] = False
    found = estimate(sample, right, judged, 60)
    assert found is not None
    assert (found.judged, found.unclear) == (50, 10)
    assert draw_sample(np.arange(0), score[:0], 3).rows.size == 0
