"""Intervals of shares: how far a count of correct predictions may be from the truth."""

from __future__ import annotations

CONFIDENCE = 0.95


def clopper_pearson(hits: float, trials: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval of a share of which `hits` of `trials` were seen; (0, 1) without trials.

    The counts may be fractions: those of an effective sample size. Source: Clopper and Pearson, "The use of
    confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26 (1934).
    """
    from scipy.special import betaincinv

    if trials <= 0:
        return 0.0, 1.0
    tail, misses = (1 - confidence) / 2, max(trials - hits, 0.0)
    low = float(betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - tail)) if misses > 0 else 1.0
    return low, high
