"""How right, and how honest about it, probabilities are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
BINS = 15


def softmax(logits: npt.NDArray[np.floating], temperature: float = 1.0) -> Array:
    """Turn logits (n, classes) into probabilities; a temperature above 1 makes them less sure."""
    scaled = np.asarray(logits, np.float64) / temperature
    exponential = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def top_k_hits(probabilities: npt.NDArray[np.floating], labels: Labels, k: int) -> npt.NDArray[np.bool_]:
    """Say for each image (n,) whether its class is among the k most probable ones."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return (best == labels[:, None]).any(axis=1)


def calibration_error(probabilities: npt.NDArray[np.floating], labels: Labels) -> float:
    """Give the expected calibration error: how far score and share of right answers differ, over 15 equal bins.

    Naeini et al. 2015; Guo et al. 2017 (arXiv:1706.04599).
    """
    scores, hits = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [abs(float((hits[bins == i] - scores[bins == i]).sum())) for i in range(BINS)]
    return sum(gaps) / len(labels)


def negative_log_likelihood(probabilities: Array, labels: Labels) -> float:
    """Give the mean surprise at the true classes, in nats."""
    return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())


def fit_temperature(logits: npt.NDArray[np.floating], labels: Labels) -> float:
    """Find the temperature with the least negative log likelihood, by golden section between 1/4 and 4."""
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    low, high = math.log(0.25), math.log(4.0)
    for _ in range(40):
        inner, outer = high - ratio * (high - low), low + ratio * (high - low)
        losses = [negative_log_likelihood(softmax(logits, math.exp(t)), labels) for t in (inner, outer)]
        low, high = (low, outer) if losses[0] < losses[1] else (inner, high)
    return math.exp((low + high) / 2.0)
