"""A model that never saw a sample tells whether the samples look like photos."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sparkcore.samples import write_samples

SHARED = Path(__file__).parents[3] / "shared"
MODEL = SHARED / "models" / "mobilenet_v2_imagenet.keras"
# No sample was ever looked at with this seed while the subjects were made.
FRESH_SEED, COUNT = 20261123, 200


def read(path: Path) -> np.ndarray | None:
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except OSError:
        return None
    return np.asarray(upright.resize((224, 224), Image.Resampling.BICUBIC), np.float32) / 127.5 - 1


@pytest.mark.slow
@pytest.mark.skipif(not MODEL.exists(), reason="needs the MobileNetV2 in ../shared/models")
def test_a_model_trained_on_photos_knows_most_samples(tmp_path: Path):
    import keras

    with (SHARED / "data" / "imagenet_classes.csv").open(newline="") as lines:
        index = {row["class_id"]: int(row["index"]) for row in csv.DictReader(lines)}
    found = [(path, read(path)) for path in write_samples(tmp_path, COUNT, FRESH_SEED)]
    readable = [(index[path.parent.name.split("_")[0]], pixels) for path, pixels in found if pixels is not None]
    assert len(readable) == COUNT - 1
    truth = np.array([label for label, _ in readable])
    model = keras.models.load_model(MODEL, compile=False)
    scores = model.predict(np.stack([pixels for _, pixels in readable]), batch_size=32, verbose=0)
    best = np.argsort(-scores, axis=1)[:, :5]
    assert (best[:, 0] == truth).mean() >= 0.60
    assert (best == truth[:, None]).any(axis=1).mean() >= 0.85
