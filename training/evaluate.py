"""Judge the exported model on the validation images and on photos.

    python -m training.evaluate --data FOLDER --cache CACHE [--photos FOLDER]

Writes `training/results/evaluation.json` and `training/results/classes.csv`; `training.card` makes the card of them.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sparkcore.models.labels import ClassName, packaged_classes
from sparkcore.models.tinynet import CLASS_FILE, build_tinynet
from training.data import load_images
from training.duplicates import find_known
from training.export import RESULTS
from training.metrics import Labels, calibration_error, negative_log_likelihood, softmax, top_k_hits
from training.photos import load_photos

if TYPE_CHECKING:
    import keras

Probabilities = npt.NDArray[np.float64]
COLUMNS = ("class_id", "label", "images", "top_1", "top_5", "mean_score", "most_often_taken_for")


def predict(model: keras.Model, images: npt.NDArray[np.uint8]) -> Probabilities:
    """Give the probabilities (n, classes) of uint8 RGB images."""
    return np.asarray(model.predict(images.astype(np.float32), batch_size=250, verbose=0), np.float64)


def judge(probabilities: Probabilities, labels: Labels, temperature: float) -> dict[str, float]:
    """Compute the figures of a set of images; "before" means without the temperature that is in the weights."""
    before = softmax(np.log(probabilities + 1e-30), 1.0 / temperature)
    return {
        "images": len(labels),
        "top_1": float(top_k_hits(probabilities, labels, 1).mean()),
        "top_5": float(top_k_hits(probabilities, labels, 5).mean()),
        "calibration_error": calibration_error(probabilities, labels),
        "calibration_error_before": calibration_error(before, labels),
        "negative_log_likelihood": negative_log_likelihood(probabilities, labels),
        "negative_log_likelihood_before": negative_log_likelihood(before, labels),
    }


def class_rows(probabilities: Probabilities, labels: Labels, classes: tuple[ClassName, ...]) -> list[list[object]]:
    """Make one row of COLUMNS for every class, the best recognized first."""
    hits_1, hits_5 = top_k_hits(probabilities, labels, 1), top_k_hits(probabilities, labels, 5)
    best, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    rows: list[list[object]] = []
    for number, name in enumerate(classes):
        own = labels == number
        wrong = np.bincount(best[own & ~hits_1], minlength=len(classes))
        taken_for = classes[int(wrong.argmax())].label if wrong.any() else ""
        shares = [round(float(values[own].mean()), 4) if own.any() else None for values in (hits_1, hits_5, scores)]
        rows.append([*name, int(own.sum()), *shares, taken_for])
    return sorted(rows, key=lambda row: (-float(str(row[3] or 0)), str(row[0])))


def write_class_table(rows: list[list[object]], path: Path) -> None:
    """Write the figures of every class as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def main() -> None:
    """Judge the packaged weights, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--cache", type=Path, required=True, help="folder of decoded images")
    parser.add_argument("--photos", type=Path, help="folder of photos whose names begin with the class id")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to read training.json from and write to")
    options = parser.parse_args()
    temperature = json.loads((options.results / "training.json").read_text())["calibration"]["temperature"]
    model, classes = build_tinynet(), packaged_classes(CLASS_FILE)
    val = load_images(options.data, "val", options.cache)
    probabilities = predict(model, val.images)
    figures: dict[str, object] = {"validation": judge(probabilities, val.labels, temperature)}
    write_class_table(class_rows(probabilities, val.labels, classes), options.results / "classes.csv")
    if options.photos:
        photos = load_photos(options.photos, [name.class_id for name in classes])
        train = load_images(options.data, "train", options.cache)
        unseen = ~np.array(find_known((photos.stretched, photos.cropped), photos.labels, train))
        probabilities = predict(model, photos.stretched)
        figures["photos"] = judge(probabilities, photos.labels, temperature)
        figures["unseen_photos"] = judge(probabilities[unseen], photos.labels[unseen], temperature)
    (options.results / "evaluation.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
