"""Write and read the whole state of a training."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.optimizer import Optimizer

if TYPE_CHECKING:
    import keras

CHECKPOINT_FILE = "checkpoint.npz"


@dataclass(frozen=True)
class Progress:
    """Say how far a training is: steps taken, share of the schedule done (0 to 1), seconds of training spent."""

    step: int = 0
    share: float = 0.0
    spent_s: float = 0.0


def _variables(model: keras.Model, optimizer: Optimizer) -> list[Any]:
    return [*(variable.value for variable in model.variables), *optimizer.state]


def save_checkpoint(out: Path, model: keras.Model, optimizer: Optimizer, progress: Progress) -> None:
    """Write a checkpoint into `out`, replacing the one before only when it is complete."""
    arrays = {f"{i:03d}": variable.numpy() for i, variable in enumerate(_variables(model, optimizer))}
    partial = out / f"partial_{CHECKPOINT_FILE}"
    np.savez(partial, progress=np.array([progress.step, progress.share, progress.spent_s]), **arrays)
    os.replace(partial, out / CHECKPOINT_FILE)


def load_checkpoint(out: Path, model: keras.Model, optimizer: Optimizer) -> Progress:
    """Restore the checkpoint in `out` and say how far it was; without one nothing changes and nothing is done yet."""
    path = out / CHECKPOINT_FILE
    if not path.exists():
        return Progress()
    with np.load(path) as file:
        for i, variable in enumerate(_variables(model, optimizer)):
            variable.assign(file[f"{i:03d}"])
        step, share, spent_s = file["progress"]
    return Progress(int(step), float(share), float(spent_s))
