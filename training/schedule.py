"""How learning rate and image size follow the progress of a training, a number from 0 to 1."""

from __future__ import annotations

from training.recipe import Recipe


def rate_factor(recipe: Recipe, progress: float) -> float:
    """Rise linearly to 1 within the warm-up, then fall linearly to 0 at the end."""
    if progress < recipe.warmup:
        return (progress + 0.01 * recipe.warmup) / (1.01 * recipe.warmup)
    return (1.0 - progress) / (1.0 - recipe.warmup)


def image_side(recipe: Recipe, progress: float) -> int:
    """Give the side in pixels that images are trained at."""
    return [side for start, side in recipe.sizes if progress >= start][-1]


def advance_by_step(recipe: Recipe, step: int) -> float:
    """Give the progress before step number `step` of a training of fixed length."""
    assert recipe.steps is not None
    return min(1.0, step / recipe.steps)


def advance_by_clock(progress: float, spent_s: float, left_s: float) -> float:
    """Move the progress on by the share of the remaining time that the last step took.

    A step slowed down by other work moves it further, so that it reaches 1 when the time is used up.
    """
    if spent_s >= left_s:
        return 1.0
    return progress + (1.0 - progress) * spent_s / left_s
