from __future__ import annotations

import pytest

from training.recipe import Recipe
from training.schedule import advance_by_clock, advance_by_step, image_side, rate_factor

RECIPE = Recipe(steps=200, warmup=0.1, sizes=((0.0, 40), (0.5, 64)))


def test_rate_rises_then_falls_to_zero():
    factors = [rate_factor(RECIPE, progress) for progress in (0.0, 0.05, 0.1, 0.55, 1.0)]
    assert factors == pytest.approx([0.0099, 0.505, 1.0, 0.5, 0.0], abs=1e-2)


def test_size_of_images_grows():
    assert [image_side(RECIPE, progress) for progress in (0.0, 0.49, 0.5, 1.0)] == [40, 40, 64, 64]


def test_progress_by_steps_ends_at_one():
    assert [advance_by_step(RECIPE, step) for step in (0, 100, 200, 201)] == [0.0, 0.5, 1.0, 1.0]


def test_progress_by_the_clock_takes_the_share_of_the_time_left():
    assert advance_by_clock(0.0, 25.0, 100.0) == 0.25
    assert advance_by_clock(0.5, 25.0, 50.0) == 0.75
    assert advance_by_clock(0.9, 60.0, 50.0) == 1.0


def test_recipe_needs_one_length():
    with pytest.raises(ValueError, match="either steps or minutes"):
        Recipe()
    with pytest.raises(ValueError, match="either steps or minutes"):
        Recipe(steps=1, minutes=1.0)
