"""What the trained weights depend on, besides the data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

RECIPE_FILE = "recipe.json"


@dataclass(frozen=True)
class Recipe:
    """Hold the settings of one training.

    `sizes` are (share of the training done, side in pixels): each side holds from its share on. Exactly one of `steps`
    and `minutes` rules how long the training is; with `minutes` the schedule follows the clock, so that it always ends
    with a learning rate of zero, however busy the machine is.
    """

    seed: int = 0
    steps: int | None = None
    minutes: float | None = None
    batch_size: int = 384
    holdout: int = 2000
    sizes: tuple[tuple[float, int], ...] = ((0.0, 40), (0.3, 48), (0.85, 56))
    warmup: float = 0.04
    kernel_rate: float = 0.05
    other_rate: float = 0.004
    momentum: float = 0.9
    label_smoothing: float = 0.05
    teacher_share: float = 0.5
    min_area: float = 0.45
    max_stretch: float = 1.5
    color_strength: float = 0.15
    checkpoint_s: float = 180.0

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise ValueError(f"expected either steps or minutes, received {self.steps!r} and {self.minutes!r}")


def write_recipe(recipe: Recipe, out: Path) -> None:
    """Keep the recipe beside the checkpoint that it leads to."""
    (out / RECIPE_FILE).write_text(json.dumps(asdict(recipe), indent=2) + "\n")


def read_recipe(out: Path) -> Recipe:
    """Read the recipe of the training in a folder."""
    values = json.loads((out / RECIPE_FILE).read_text())
    values["sizes"] = tuple((share, side) for share, side in values["sizes"])
    return Recipe(**values)
