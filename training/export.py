"""Export a finished training: recalibrate and fold batch normalization, fold the temperature, store as float16.

    python -m training.export --data FOLDER --cache CACHE --out DIR

Writes the weights and the classes that the package carries, and `training/results/training.json`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparkcore.models.labels import imagenet_classes
from sparkcore.models.tinynet import CLASS_FILE, WEIGHTS_FILE
from training.batches import TrainingSet, load_training_set
from training.checkpoint import Progress, load_checkpoint
from training.data import read_class_ids
from training.metrics import calibration_error, fit_temperature, softmax
from training.network import build_trainable, fold_weights
from training.optimizer import Optimizer
from training.recalibrate import recalibrate
from training.recipe import Recipe, read_recipe

if TYPE_CHECKING:
    import keras

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Calibration:
    """The temperature fitted on held-out training images, and their expected calibration error without and with it."""

    temperature: float
    images: int
    error_before: float
    error_after: float


def calibrate(model: keras.Model, data: TrainingSet) -> Calibration:
    """Fit the temperature on the held-out images at the size that the finished model takes."""
    logits = model.predict(data.images.images[data.held_out].astype(np.float32), batch_size=250, verbose=0)
    labels = data.images.labels[data.held_out]
    temperature = fit_temperature(logits, labels)
    errors = [calibration_error(softmax(logits, t), labels) for t in (1.0, temperature)]
    return Calibration(temperature, len(labels), errors[0], errors[1])


def write_weights(model: keras.Model, temperature: float, path: Path) -> None:
    """Write what `build_tinynet` reads."""
    np.savez_compressed(path, **fold_weights(model, temperature))  # type: ignore[arg-type]


def write_classes(data: Path, path: Path) -> None:
    """Write one "class_id label" a line, in the order of the model's outputs."""
    labels = {name.class_id: name.label for name in imagenet_classes()}
    path.write_text("".join(f"{class_id} {labels[class_id]}\n" for class_id in read_class_ids(data)), encoding="utf-8")


def describe_training(recipe: Recipe, progress: Progress, data: TrainingSet) -> dict[str, object]:
    """Collect what the model card says about the training."""
    teacher_top_1 = None
    if data.teacher is not None:
        teacher_top_1 = float((np.asarray(data.teacher).argmax(axis=1) == data.images.labels).mean())
    return {
        "recipe": asdict(recipe),
        "steps": progress.step,
        "images_seen": progress.step * recipe.batch_size,
        "training_images": len(data.rows),
        "training_s": round(progress.spent_s),
        "teacher_top_1": teacher_top_1,
    }


def main() -> None:
    """Export the checkpoint in `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--cache", type=Path, help="folder of decoded images and teacher outputs (default: --out)")
    parser.add_argument("--to", type=Path, default=WEIGHTS_FILE, help="weights file to write")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for training.json")
    parser.add_argument("--note", action="append", default=[], help="a remark on the training for the model card")
    options = parser.parse_args()
    recipe = read_recipe(options.out)
    model = build_trainable(recipe.seed)
    progress = load_checkpoint(options.out, model, Optimizer(model, recipe))
    data = load_training_set(options.data, options.cache or options.out, recipe)
    recalibrate(model, data, recipe.seed)
    calibration = calibrate(model, data)
    write_weights(model, calibration.temperature, options.to)
    write_classes(options.data, options.to.with_name(CLASS_FILE))
    options.results.mkdir(parents=True, exist_ok=True)
    facts = describe_training(recipe, progress, data) | {"calibration": asdict(calibration), "notes": options.note}
    (options.results / "training.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.2f} MB, {calibration}")


if __name__ == "__main__":
    main()
