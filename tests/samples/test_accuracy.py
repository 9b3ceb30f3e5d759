"""The built-in model recognizes the samples. They were chosen with its help, so this is no measure of the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sparkcore.config import RunConfig
from sparkcore.errors import ImageError
from sparkcore.imaging.decode import decode
from sparkcore.imaging.transforms import ImageSize, resize, to_array
from sparkcore.models.freeze import freeze
from sparkcore.models.predictor import load_predictor
from sparkcore.models.registry import BUILT_IN
from sparkcore.models.resolve import resolve_model
from sparkcore.models.top_k import top_k
from sparkcore.samples import list_samples

BATCH = 32


@pytest.mark.slow
def test_the_built_in_model_names_at_least_85_percent(tmp_path: Path):
    model = resolve_model(RunConfig(images="-", model=BUILT_IN))
    predictor = load_predictor(freeze(model, "float32", tmp_path))
    size = ImageSize(model.height, model.width)
    truth, pixels = [], []
    for path in list_samples():
        try:
            image = decode(path.read_bytes(), target=size).image
        except ImageError:
            continue
        truth.append(path.parent.name.partition("_")[0])
        pixels.append(to_array(resize(image, size, model.fit, "bicubic")))
    assert len(truth) == len(list_samples()) - 1  # one file is damaged on purpose
    batches = [np.stack(pixels[start : start + BATCH]) for start in range(0, len(pixels), BATCH)]
    best = np.concatenate([top_k(predictor.predict(batch), 5).indices for batch in batches])
    predicted = np.array([name.class_id for name in model.classes])[best]
    assert (predicted[:, 0] == truth).mean() >= 0.85
    assert (predicted == np.array(truth)[:, None]).any(axis=1).mean() >= 0.95
