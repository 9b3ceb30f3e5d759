"""Which images a training step sees, and what it is told about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sparkcore.models.tinynet import CLASS_COUNT
from training.data import ImageSet, load_images, train_rows
from training.recipe import Recipe


@dataclass(frozen=True)
class TrainingSet:
    """Images, the rows of them to train on, the rows held out, and each image's target probabilities (or None)."""

    images: ImageSet
    rows: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.int64]
    teacher: npt.NDArray[np.float16] | None


def load_training_set(data: Path, cache: Path, recipe: Recipe) -> TrainingSet:
    """Map the training images, and the teacher's logits where `cache` holds them."""
    images = load_images(data, "train", cache)
    path = cache / "teacher_logits.npy"
    teacher = np.load(path, mmap_mode="r") if path.exists() and recipe.teacher_share > 0 else None
    return TrainingSet(images, *train_rows(len(images), recipe.holdout, recipe.seed), teacher)


def batch_rows(data: TrainingSet, recipe: Recipe, step: int) -> npt.NDArray[np.int64]:
    """Give the images of a step: every epoch is a permutation of its own, so that a resumed training goes on alike."""
    per_epoch = max(1, len(data.rows) // recipe.batch_size)
    epoch, position = divmod(step, per_epoch)
    order = np.random.default_rng((recipe.seed, epoch)).permutation(data.rows)
    return np.sort(order[position * recipe.batch_size : (position + 1) * recipe.batch_size])


def target_probabilities(data: TrainingSet, rows: npt.NDArray[np.int64], recipe: Recipe) -> npt.NDArray[np.float32]:
    """Mix smoothed labels and the teacher's probabilities (Hinton et al. 2015, arXiv:1503.02531)."""
    smoothing = recipe.label_smoothing
    hard = np.full((len(rows), CLASS_COUNT), smoothing / CLASS_COUNT, np.float32)
    hard[np.arange(len(rows)), data.images.labels[rows]] += 1.0 - smoothing
    if data.teacher is None:
        return hard
    logits = data.teacher[rows].astype(np.float32)
    soft = np.exp(logits - logits.max(axis=1, keepdims=True))
    soft /= soft.sum(axis=1, keepdims=True)
    return (1.0 - recipe.teacher_share) * hard + recipe.teacher_share * soft
