"""Quantize a model on some images of a run, and compare a lower precision with float32 on others.

The driver has it done in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sparkcore.errors import ConfigError
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.predictor import Predictor
from sparkcore.models.quantization import Pixels, quantize
from sparkcore.progress import Step
from sparkcore.runs.agreement import Agreement
from sparkcore.worker.loop import prepared_images
from sparkcore.worker.task import WorkerTask

LEAST_IMAGES = 50  # for int8: fewer say too little of the ranges and of the agreement
_INPUT_ROWS = 64


@dataclass(frozen=True, slots=True)
class CalibrationTask:
    """Hold what to do: `worker` has the model in float32, and the images to quantize on and to compare on.

    The tables have `origin` and `LISTED_SIZE`; bfloat16 is not quantized, so its first table is empty.
    """

    worker: WorkerTask
    precision: str
    to_quantize: pa.Table
    to_compare: pa.Table


@dataclass(frozen=True, slots=True)
class Measured:
    """The model in the lower precision, its agreement (None: no image could be read), and what it was calibrated on."""

    model: FrozenModel
    agreement: Agreement | None
    calibrated_on: int


def calibrate(task: CalibrationTask, report: Callable[[Step], None]) -> Measured:
    """Quantize the model, or take it in bfloat16, and compare; `report` gets every step.

    Raises ConfigError where too few images can be read, ModelError for a model that cannot be quantized.
    """
    model, calibrated_on = replace(task.worker.model, precision=task.precision), 0
    if task.precision == "int8":
        images = list(_pixels(task.to_quantize, task.worker))
        calibrated_on = len(images)
        _check_enough(calibrated_on, task.to_quantize.num_rows, LEAST_IMAGES // 3)
        phase = f"calibrating {task.precision}"
        model = quantize(task.worker.model, images, lambda done: report(Step(phase, done, calibrated_on)))
    agreement = _compare(task, model, report)
    if task.precision == "int8":
        compared = agreement.images if agreement else 0
        _check_enough(compared, task.to_compare.num_rows, LEAST_IMAGES - LEAST_IMAGES // 3)
    return Measured(model, agreement, calibrated_on)


def _check_enough(readable: int, listed: int, least: int) -> None:
    if readable < least:
        raise ConfigError(
            f"precision: int8 needs at least {LEAST_IMAGES} images that can be read and pass the filters: expected "
            f"{least} of {listed:,} to be of use, received {readable}. Use float32, or more images of the same kind."
        )


def _compare(task: CalibrationTask, lower: FrozenModel, report: Callable[[Step], None]) -> Agreement | None:
    phase = f"comparing {task.precision} with float32"
    predictors = [Predictor(model, None) for model in (task.worker.model, lower)]
    same: list[bool] = []
    changes: list[float] = []
    for batch in _batches(_pixels(task.to_compare, task.worker), task.worker.batch_size):
        exact, lowered = (predictor.predict(batch) for predictor in predictors)
        first, rows = exact.argmax(axis=1), np.arange(len(batch))
        same += (first == lowered.argmax(axis=1)).tolist()
        changes += np.abs(exact[rows, first] - lowered[rows, first]).tolist()
        report(Step(phase, len(same), task.to_compare.num_rows))
    return Agreement.of(same, changes) if same else None


def _pixels(files: pa.Table, worker: WorkerTask) -> Iterator[Pixels]:
    """Yield the model's input of every image that can be read and passes the filters."""
    for prepared in prepared_images(files.to_batches(max_chunksize=_INPUT_ROWS), worker):
        if prepared.pixels is not None:
            yield prepared.pixels


def _batches(images: Iterator[Pixels], length: int) -> Iterator[Pixels]:
    batch: list[Pixels] = []
    for pixels in images:
        batch.append(pixels)
        if len(batch) == length:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
