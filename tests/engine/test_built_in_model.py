"""The built-in model through real Spark: the labels and scores of Keras alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sparkcore.analysis.metrics import evaluate
from sparkcore.classes import imagenet_classes
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import run
from sparkcore.models.registry import BUILT_IN
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from sparkcore.samples import PICTURES
from tests.models.golden_scores import GOLDEN_FILE, keras_scores, plain_samples

pytestmark = pytest.mark.slow


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

    paths = sorted(photos.iterdir())
    expected = keras_scores(paths)
    rows = {row["file_name"]: row for row in table.select(["file_name", "class_id", "score"]).to_pylist()}
    ids = [name.class_id for name in imagenet_classes()]
    found = [rows[path.name] for path in paths]
    assert [row["class_id"] for row in found] == [ids[index] for index in expected.argmax(axis=1)]
    differences = np.abs([row["score"] for row in found] - expected.max(axis=1))
    # JPEGs of twice the needed size are decoded at half their size, which moves their scores a little.
    assert np.count_nonzero(differences > 1e-5) < 30
    assert differences.max() < 0.02


@pytest.mark.usefixtures("spark")
def test_the_samples_get_their_golden_scores(tmp_path: Path) -> None:
    golden = json.loads(GOLDEN_FILE.read_text(encoding="utf-8"))
    assert list(golden) == [path.relative_to(PICTURES).as_posix() for path in plain_samples()]
    manifest = run(RunConfig(str(PICTURES), truth="folder"), EngineConfig(store=tmp_path)).manifest
    table = load_results(RunStore(tmp_path), manifest.run_id).select(
        ["file_name", "class_id", "score", "width", "height"]
    )
    rows = {row["file_name"]: row for row in table.to_pylist()}
    right = 0
    for name, (class_id, score) in golden.items():
        row = rows[Path(name).name]
        assert row["class_id"] == class_id, name
        # JPEGs of twice the needed size are decoded at half their size, which moves their scores a little.
        assert row["score"] == pytest.approx(score, abs=0.02 if min(row["width"], row["height"]) >= 512 else 1e-4), name
        right += name.startswith(class_id)
    assert right >= 0.85 * len(golden)
