"""The score from which predictions are as precise as somebody asks, found on images whose true label is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.errors import RequestError

# An interval for other images of the same kind: they vary by chance as the judged ones do, and the threshold was
# chosen to look good on these. Tried on 1,000 random halves: tests/analysis/test_thresholds.py.
CONFIDENCE = 0.99
_EDGE = 1e-6  # of a score: the logarithm of 0 is none

Scores = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Hold a minimum score, and how precise the judged images at or above it are.

    `low` and `high` are the Clopper-Pearson interval of that precision, at CONFIDENCE.
    """

    threshold: float
    precision: float
    low: float
    high: float
    kept: int
    share: float


def fit_threshold(score: Scores, correct: Bools, precision: float, *, guarantee: bool = False) -> Threshold | None:
    """Return the lowest threshold at which the judged images are at least as precise; None where there is none.

    With `guarantee`, the low end of the interval must be: a higher threshold, which holds for other images too.
    Raises RequestError for a precision outside of 0 to 1.
    """
    if not 0 < precision <= 1:
        raise RequestError(f"precision: expected a share above 0 and at most 1, received {precision:g}.")
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(correct[order])
    # Images of one score are kept or left together.
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.array([], dtype=np.int64)
    good = ends[hits[ends] >= precision * (ends + 1)].tolist()
    while good:
        end = good.pop()
        low, high = clopper_pearson(int(hits[end]), end + 1, CONFIDENCE)
        if low >= precision or not guarantee:
            found = float(hits[end] / (end + 1))
            return Threshold(float(ranked[end]), found, low, high, end + 1, (end + 1) / len(ranked))
    return None


def fit_rejection(score: Scores, correct: Bools, accuracy: float) -> float:
    """Return the highest score below which at most this share of the judged predictions is correct; 0 for none."""
    order = np.argsort(score, kind="stable")
    ranked, hits = score[order], np.cumsum(correct[order])
    ends = np.flatnonzero(ranked[1:] != ranked[:-1])
    good = ends[hits[ends] <= accuracy * (ends + 1)]
    return float(ranked[good[-1] + 1]) if len(good) else 0.0


def fit_temperature(score: Scores, correct: Bools, seed: int = 0) -> float:
    """Return the temperature that makes scores the probability of being correct, from half of the judged images.

    Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2; here on
    the odds of the first prediction, because runs keep no scores of all classes.
    """
    from scipy.optimize import minimize_scalar

    half = np.random.default_rng(seed).permutation(len(score))[: (len(score) + 1) // 2]
    odds, hit = _log_odds(score[half]), correct[half]

    def loss(log_temperature: float) -> float:
        scaled = odds / np.exp(log_temperature)
        return float(np.where(hit, np.logaddexp(0, -scaled), np.logaddexp(0, scaled)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)) if len(half) else 1.0


def calibrated(score: Scores, temperature: float) -> npt.NDArray[np.float64]:
    """Return scores as probabilities of being correct; their order stays."""
    return 1 / (1 + np.exp(-_log_odds(score) / temperature))


def _log_odds(score: Scores) -> npt.NDArray[np.float64]:
    inside = np.clip(score.astype(np.float64), _EDGE, 1 - _EDGE)
    return np.log(inside) - np.log1p(-inside)
