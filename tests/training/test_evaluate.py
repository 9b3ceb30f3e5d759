from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.models.labels import ClassName
from training.evaluate import class_rows, judge
from training.metrics import calibration_error, softmax
from training.photos import load_photos

LABELS = np.array([0, 0, 1, 1], np.int32)


def test_judge_tells_the_figures_with_and_without_the_temperature():
    logits = np.random.default_rng(0).normal(0, 2, (4, 6))
    figures = judge(softmax(logits, 1.7), LABELS, 1.7)
    assert figures["images"] == 4
    assert figures["top_1"] == np.mean(logits.argmax(axis=1) == LABELS)
    assert figures["calibration_error"] == pytest.approx(calibration_error(softmax(logits, 1.7), LABELS))
    assert figures["calibration_error_before"] == pytest.approx(calibration_error(softmax(logits), LABELS))


def test_class_rows_are_sorted_and_name_the_usual_mistake():
    classes = tuple(ClassName(f"n{i}", f"label{i}") for i in range(6))
    probabilities = np.full((4, 6), 0.1)
    probabilities[[0, 1, 2, 3], [0, 5, 1, 1]] = 0.5
    rows = class_rows(probabilities, LABELS, classes)
    assert rows[:2] == [["n1", "label1", 2, 1.0, 1.0, 0.5, ""], ["n0", "label0", 2, 0.5, 1.0, 0.5, "label5"]]
    assert rows[2] == ["n2", "label2", 0, None, None, None, ""]


def test_photos_of_the_wanted_classes_are_read_at_the_size_of_the_model(tmp_path: Path):
    for name, color in {"n1_red.JPEG": (250, 0, 0), "n2_green.JPEG": (0, 250, 0), "n9_blue.JPEG": (0, 0, 250)}.items():
        Image.new("RGB", (120, 80), color).save(tmp_path / name, "JPEG")
    photos = load_photos(tmp_path, ["n2", "n1"])
    assert photos.labels.tolist() == [1, 0]
    assert photos.stretched.shape == photos.cropped.shape == (2, 64, 64, 3)
    assert photos.stretched.mean(axis=(1, 2)).argmax(axis=1).tolist() == [0, 1]
