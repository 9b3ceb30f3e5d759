"""How good a model is on a whole folder, from a random sample of pictures that somebody has looked at.

The pictures are put into strata by score. Scores foretell mistakes, so that a sample over strata needs fewer pictures,
and more so with more of them where the scores are least sure. The order of all pictures is drawn once: whoever reviews
its first pictures has a sample, which grows with every picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkcore.analysis.columns import Rows
from sparkcore.analysis.intervals import clopper_pearson

MARGIN = 0.03  # of the interval that is aimed at
_STRATA = 5
_STRATUM_IMAGES = 20  # fewer pictures make no stratum of their own
_LEAST_SPREAD = 0.2  # of a stratum where the model is sure: it may be wrong there too

Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold an order of pictures of which every beginning is a random sample; `stratum` belongs to `rows`."""

    rows: Rows
    stratum: Codes
    sizes: Codes


@dataclass(frozen=True, slots=True)
class Estimate:
    """Hold the accuracy of all `images` by the `judged` ones, with its 95 % interval.

    `more` is about how many more pictures must be judged until the interval is MARGIN wide on each side. Pictures of
    which nobody can tell what they show are `unclear`: they count neither as judged nor as wrong.
    """

    images: int
    judged: int
    unclear: int
    accuracy: float
    low: float
    high: float
    more: int


def draw_sample(rows: Rows, score: npt.NDArray[np.float32], seed: int) -> Sample:
    """Draw the order of pictures; `score` belongs to `rows`, and every row has one."""
    generator = np.random.default_rng(seed)
    count = len(rows)
    strata = max(1, min(_STRATA, count // _STRATUM_IMAGES))
    by_score = np.argsort(score, kind="stable")
    parts = np.array_split(by_score, strata)
    position, stratum = np.empty(count), np.empty(count, dtype=np.int64)
    for code, part in enumerate(parts):
        shuffled = generator.permutation(part)
        mean = float(score[part].mean()) if len(part) else 0.5
        rate = len(part) * max(float(np.sqrt(mean * (1 - mean))), _LEAST_SPREAD)
        position[shuffled] = (np.arange(len(part)) + generator.random()) / rate
        stratum[part] = code
    order = np.argsort(position, kind="stable")
    return Sample(rows[order], stratum[order], np.array([len(part) for part in parts]))


def estimate(sample: Sample, correct: Bools, judged: Bools, seen: int) -> Estimate | None:
    """Estimate the accuracy of all pictures from the first `seen` ones of a sample.

    `correct` and `judged` belong to `Sample.rows`. Returns None until each stratum has a judged picture.

    The interval is that of Clopper and Pearson for the effective size of the sample. Source: Korn and Graubard,
    "Confidence intervals for proportions with small expected number of positive counts estimated from survey data",
    Survey Methodology 24 (1998).
    """
    used = judged[:seen]
    strata = len(sample.sizes)
    trials = np.bincount(sample.stratum[:seen][used], minlength=strata)
    hits = np.bincount(sample.stratum[:seen][used & correct[:seen]], minlength=strata)
    if not trials.size or not trials.all() or not len(sample.rows):
        return None
    weight = sample.sizes / sample.sizes.sum()
    accuracy, count, images = float(weight @ (hits / trials)), int(trials.sum()), len(sample.rows)
    size = _effective_size(sample.sizes, trials, hits)
    low, high = (accuracy, accuracy) if size is None else clopper_pearson(size * accuracy, size)
    more = 0 if size is None else _more(accuracy, size, count, images)
    return Estimate(images, count, seen - count, accuracy, min(low, accuracy), max(high, accuracy), more)


def _effective_size(sizes: Codes, trials: Codes, hits: Codes) -> float | None:
    """Return the size of a simple random sample that is worth as much; None where all pictures are judged."""
    weight, left = sizes / sizes.sum(), 1 - trials / sizes
    if not left.any():
        return None
    overall = float(weight @ (hits / trials))
    # Two more pictures of the overall accuracy each: a stratum without mistakes is not known to have none.
    share = (hits + 2 * overall) / (trials + 2)
    variance = float((weight**2 * left * share * (1 - share) / trials).sum())
    rest = 1 - trials.sum() / sizes.sum()
    if variance <= 0:  # all correct, or none
        return float(trials.sum() / rest)
    return overall * (1 - overall) / variance


def _more(accuracy: float, size: float, judged: int, images: int) -> int:
    """Return how many more pictures make the interval narrow enough, if they are like those before."""
    worth = size * (1 - judged / images) / judged
    fewest, most = judged, images
    while fewest < most:
        middle = (fewest + most) // 2
        rest = 1 - middle / images
        low, high = clopper_pearson(worth * middle * accuracy / rest, worth * middle / rest)
        fewest, most = (fewest, middle) if high - low <= 2 * MARGIN else (middle + 1, most)
    return fewest - judged
