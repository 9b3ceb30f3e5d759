"""Evidence by occlusion: how much less likely labels are for a model when a part of the picture is covered.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks". It works for any model.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import isqrt

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.engine.own_model import own_task
from sparkcore.models.predictor import Predictor, load_predictor
from sparkcore.runs.manifest import Manifest
from sparkcore.worker.loop import prepared_images
from sparkcore.worker.task import WorkerTask

GRID = 7  # patches in each direction; fewer for a slow model
_FEWEST = 4
_BUDGET_S = 1.8  # of all predictions
_GRAY = 128
_LEAST = 1e-7  # probability: float32 tells no smaller ones apart from 0

Pixels = npt.NDArray[np.uint8]


def occlude(manifest: Manifest, content: bytes, class_ids: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return how much each place of an image file speaks for classes, by the model of a run, [k, grid, grid].

    It is the drop of the logarithm of the probability when a gray patch covers the place, divided by the largest one.
    Raises ImageError for a file that cannot be read, ModelError where the model is gone or is another one now.
    """
    task = own_task(manifest)
    pixels = _pixels(content, task)
    predictor = load_predictor(replace(task.model, features=None))
    columns = [task.model.class_ids.index(one) for one in class_ids]

    def likelihoods(batch: Pixels) -> npt.NDArray[np.float32]:
        return np.log(np.maximum(predictor.predict(batch)[:, columns], _LEAST))

    whole = likelihoods(pixels[None])
    grid = _grid(predictor, pixels)
    covered = np.concatenate([likelihoods(batch) for batch in _batches(pixels, grid, task.batch_size)])
    drops = (whole - covered).T.reshape(len(columns), grid, grid)
    return np.asarray(drops / max(float(np.abs(drops).max(initial=0)), 1e-6), np.float32)


def _pixels(content: bytes, task: WorkerTask) -> Pixels:
    """Return an image file as the model gets it."""
    rows = pa.record_batch({"origin": pa.array(["file:///picture"]), "content": pa.array([content], pa.binary())})
    prepared = next(prepared_images([rows], task))
    if prepared.error is not None:
        raise prepared.error
    assert prepared.pixels is not None  # there are no limits on sizes
    return prepared.pixels


def _grid(predictor: Predictor, pixels: Pixels) -> int:
    """Return how many patches in each direction the model predicts in time."""
    started = time.perf_counter()
    predictor.predict(pixels[None])
    possible = int(_BUDGET_S / max(time.perf_counter() - started, 1e-6))
    return min(max(isqrt(possible), _FEWEST), GRID)


def _batches(pixels: Pixels, grid: int, size: int) -> Iterator[Pixels]:
    """Yield the picture with each patch covered, line by line; a patch is two cells wide, so that patches overlap."""
    height, width = pixels.shape[:2]
    covered = []
    for line, column in product(range(grid), repeat=2):
        one = pixels.copy()
        rows, columns = (
            slice(max(0, round((place - 0.5) * side / grid)), round((place + 1.5) * side / grid))
            for place, side in ((line, height), (column, width))
        )
        one[rows, columns] = _GRAY
        covered.append(one)
    for start in range(0, len(covered), size):
        yield np.stack(covered[start : start + size])
