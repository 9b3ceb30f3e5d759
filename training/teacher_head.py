"""Teacher logits: fit a linear classifier on cached features and keep what it says about the training images.

    python -m training.teacher_head --data FOLDER --cache CACHE

The images are split into folds, and each fold is judged by a classifier fitted on the others: the student then learns
from how sure the teacher is of photos that it has not seen, and not from labels that it knows by heart.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data import read_class_ids, split_labels

FOLDS = 4
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeadRecipe:
    """Settings of the linear classifier, which is fitted by Adam with a rate that falls linearly to zero."""

    epochs: int = 8
    batch_size: int = 500
    rate: float = 0.002
    decay: float = 1e-4
    label_smoothing: float = 0.05
    seed: int = 0


def fit_head(features: Array, labels: npt.NDArray[np.int32], class_count: int, recipe: HeadRecipe) -> Array:
    """Fit a softmax classifier and give its weights (features + 1, classes), the last row being the bias."""
    weights = np.zeros((features.shape[1] + 1, class_count), np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    rng = np.random.default_rng(recipe.seed)
    steps = recipe.epochs * (len(labels) // recipe.batch_size)
    targets = (
        np.eye(class_count, dtype=np.float32) * (1 - recipe.label_smoothing) + recipe.label_smoothing / class_count
    )
    for step in range(steps):
        if step % (steps // recipe.epochs) == 0:
            order = rng.permutation(len(labels))
        start = step % (steps // recipe.epochs) * recipe.batch_size
        rows = np.sort(order[start : start + recipe.batch_size])
        x = _with_bias(features[rows])
        gradient = x.T @ (_softmax(x @ weights) - targets[labels[rows]]) / len(rows) + recipe.decay * weights
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        unbiased = (mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.99 ** (step + 1)))
        weights -= recipe.rate * (1 - step / steps) * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    return weights


def cross_fit(features: Array, labels: npt.NDArray[np.int32], class_count: int, recipe: HeadRecipe) -> Array:
    """Give every image's logits (n, classes) from a classifier that was fitted without its fold."""
    fold = np.random.default_rng(recipe.seed).permutation(len(labels)) % FOLDS
    logits = np.empty((len(labels), class_count), np.float32)
    for number in range(FOLDS):
        inside = fold == number
        weights = fit_head(features[~inside], labels[~inside], class_count, recipe)
        logits[inside] = _with_bias(features[inside]) @ weights
        top_1 = float((logits[inside].argmax(axis=1) == labels[inside]).mean())
        print(f"teacher fold {number}: top-1 {top_1:.4f} on {int(inside.sum())} images not fitted on", flush=True)
    return logits


def _with_bias(features: Array) -> Array:
    return np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)


def _softmax(logits: Array) -> Array:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def main() -> None:
    """Cross-fit the head on the training split and write `teacher_logits.npy` (float16) into the cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--cache", type=Path, required=True, help="folder that training.teacher wrote to")
    options = parser.parse_args()
    class_count = len(read_class_ids(options.data))
    features = np.load(options.cache / "train_features.npy").astype(np.float32)
    logits = cross_fit(features, split_labels(options.cache, "train"), class_count, HeadRecipe())
    np.save(options.cache / "teacher_logits.npy", logits.astype(np.float16))


if __name__ == "__main__":
    main()
