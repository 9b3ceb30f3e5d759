"""Real photos through real Spark with the model that is used when nothing is said: the scores of Keras alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparkcore.analysis.metrics import evaluate
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import run
from sparkcore.models.efficientnet_lite import build_efficientnet_lite0
from sparkcore.models.labels import imagenet_classes
from sparkcore.models.registry import BUILT_IN, find_spec
from sparkcore.models.weights import cached_weights
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore

pytestmark = pytest.mark.slow


def _center_crop(path: Path) -> np.ndarray:
    """Crop 224/256 of the shorter side, then resize, with Pillow alone."""
    image = Image.open(path).convert("RGB")
    side = 224 * min(image.size) // 256
    left, top = (image.width - side + 1) // 2, (image.height - side + 1) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.crop(box).resize((224, 224), Image.Resampling.BICUBIC), np.float32)


@pytest.mark.usefixtures("spark")
def test_accuracy_and_scores_through_spark(tmp_path: Path, photos: Path) -> None:
    manifest = run(RunConfig(str(photos), truth="filename"), EngineConfig(store=tmp_path)).manifest
    assert (manifest.model["name"], manifest.config["model"]) == (BUILT_IN, "auto")
    assert (manifest.model["resize"], manifest.model["crop_ratio"]) == ("crop", 224 / 256)
    table = load_results(RunStore(tmp_path), manifest.run_id)
    figures = evaluate(table)
    assert figures.support == 300
    assert figures.top_1 == pytest.approx(0.880, abs=0.005)
    assert figures.top_k == pytest.approx(0.970, abs=0.005)

    model = build_efficientnet_lite0(cached_weights(find_spec(BUILT_IN)))
    paths = sorted(photos.iterdir())
    expected = model.predict(np.stack([_center_crop(path) for path in paths]), batch_size=32, verbose=0)
    rows = {row["file_name"]: row for row in table.select(["file_name", "class_id", "score"]).to_pylist()}
    ids = [name.class_id for name in imagenet_classes()]
    found = [rows[path.name] for path in paths]
    assert [row["class_id"] for row in found] == [ids[index] for index in expected.argmax(axis=1)]
    differences = np.abs([row["score"] for row in found] - expected.max(axis=1))
    # JPEGs of twice the needed size are decoded at half their size, which moves their scores a little.
    assert np.count_nonzero(differences > 1e-5) < 30
    assert differences.max() < 0.02
