"""Train tinynet on Tiny ImageNet; a training that was stopped goes on at its last checkpoint.

python -m training.train --data FOLDER --cache CACHE --out DIR --minutes 90
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.augment import apply_augmentation, draw_augmentation
from training.batches import TrainingSet, batch_rows, load_training_set, target_probabilities
from training.checkpoint import Progress, load_checkpoint, save_checkpoint
from training.network import build_trainable
from training.optimizer import Optimizer
from training.recipe import Recipe, write_recipe
from training.schedule import advance_by_clock, advance_by_step, image_side, rate_factor

if TYPE_CHECKING:
    import keras


def make_step(model: keras.Model, optimizer: Optimizer) -> Callable[..., Any]:
    """Compile one training step: a batch and its augmentation in, the mean loss out."""
    import tensorflow as tf

    @tf.function  # type: ignore[untyped-decorator]
    def step(images: Any, targets: Any, augmentation: tuple[Any, Any], settings: tuple[Any, int]) -> Any:
        rate, side = settings
        pixels = apply_augmentation(images, *augmentation, side)
        with tf.GradientTape() as tape:
            logits = model(pixels, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        optimizer.apply(tape.gradient(loss, [v.value for v in model.trainable_variables]), rate)
        return loss

    return step


def take_step(step: Callable[..., Any], data: TrainingSet, recipe: Recipe, progress: Progress) -> float:
    """Train on the batch of `progress` and give its loss."""
    import tensorflow as tf

    rows = batch_rows(data, recipe, progress.step)
    drawn = draw_augmentation(recipe, len(rows), np.random.default_rng((recipe.seed, 1, progress.step)))
    rate = tf.constant(rate_factor(recipe, progress.share), tf.float32)
    images, targets = tf.constant(data.images.images[rows]), tf.constant(target_probabilities(data, rows, recipe))
    augmentation = (tf.constant(drawn.boxes), tf.constant(drawn.colors))
    return float(step(images, targets, augmentation, (rate, image_side(recipe, progress.share))))


def train(data: TrainingSet, recipe: Recipe, out: Path) -> keras.Model:
    """Train to the end of the schedule, from the checkpoint in `out` where there is one; checkpoints go there."""
    model = build_trainable(recipe.seed)
    optimizer = Optimizer(model, recipe)
    progress = load_checkpoint(out, model, optimizer)
    step = make_step(model, optimizer)
    saved_s, losses = progress.spent_s, []
    while progress.share < 1.0:
        started = time.monotonic()
        losses.append(take_step(step, data, recipe, progress))
        progress = _advance(recipe, progress, time.monotonic() - started)
        if progress.spent_s - saved_s > recipe.checkpoint_s or progress.share >= 1.0:
            save_checkpoint(out, model, optimizer, progress)
            report(model, data, progress, float(np.mean(losses)))
            saved_s, losses = progress.spent_s, []
    return model


def _advance(recipe: Recipe, progress: Progress, spent_s: float) -> Progress:
    moved = replace(progress, step=progress.step + 1, spent_s=progress.spent_s + spent_s)
    if recipe.minutes is None:
        return replace(moved, share=advance_by_step(recipe, moved.step))
    return replace(moved, share=advance_by_clock(progress.share, spent_s, recipe.minutes * 60 - progress.spent_s))


def report(model: keras.Model, data: TrainingSet, progress: Progress, loss: float) -> None:
    """Print how far the training is and how well it does on some of the held-out training images."""
    rows = data.held_out[:1000]
    logits = model.predict(data.images.images[rows].astype(np.float32), batch_size=250, verbose=0)
    top_1 = float((logits.argmax(axis=1) == data.images.labels[rows]).mean()) if len(rows) else float("nan")
    print(
        f"{time.strftime('%H:%M:%S')} step {progress.step} share {progress.share:.3f} {progress.spent_s:.0f} s "
        f"loss {loss:.3f} held-out top-1 {top_1:.3f}",
        flush=True,
    )


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--cache", type=Path, help="folder for decoded images and teacher outputs (default: --out)")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, help="train for so many batches")
    length.add_argument("--minutes", type=float, help="train for so long by the clock")
    return parser.parse_args()


def main() -> None:
    """Train as the command line says."""
    options = read_options()
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(seed=options.seed, steps=options.steps, minutes=options.minutes)
    write_recipe(recipe, options.out)
    train(load_training_set(options.data, options.cache or options.out, recipe), recipe, options.out)


if __name__ == "__main__":
    main()
