"""Real photos through real Spark with real weights: the same labels as Keras alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from sparkcore.analysis.metrics import evaluate
from sparkcore.classes import imagenet_classes
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.pipeline import run
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.thumbnail import MIN_LONG_SIDE
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from tests.conftest import shared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def keras_answers(photos: Path) -> dict[str, tuple[str, float]]:
    """Give the class id that Keras alone finds for each photo, and its score."""
    import keras

    model = keras.saving.load_model(shared("models/mobilenet_v2_imagenet.keras"), compile=False)
    paths = sorted(photos.iterdir())
    resized = [np.asarray(Image.open(p).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)) for p in paths]
    batch = keras.applications.mobilenet_v2.preprocess_input(np.stack(resized).astype("float32"))
    scores = model.predict(batch, batch_size=32, verbose=0)
    best = zip(scores.argmax(axis=1), scores.max(axis=1), strict=True)
    answers = [(imagenet_classes()[index].class_id, float(score)) for index, score in best]
    return {path.name: answer for path, answer in zip(paths, answers, strict=True)}


def is_reduced(path: Path) -> bool:
    """Tell whether a photo is so large for the model that it is decoded at half its size or less."""
    content = path.read_bytes()
    small = decode(content, target=ImageSize(224, 224), long_side=MIN_LONG_SIDE).image
    return small.size != decode(content).image.size


def results(photos: Path, engine: EngineConfig, **settings: Any) -> pa.Table:
    weights = shared("models/mobilenet_v2_imagenet.keras")
    config = RunConfig(str(photos), "mobilenet_v2", weights=str(weights), truth="filename", **settings)
    return load_results(RunStore(engine.store), run(config, engine).manifest.run_id)


def answers(table: pa.Table) -> dict[str, tuple[str, float]]:
    return {
        r["file_name"]: (r["class_id"], r["score"])
        for r in table.select(["file_name", "class_id", "score"]).to_pylist()
    }


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(("batch_size", "bucket_size"), [(32, 300), (1, 40)])
def test_the_same_label_as_keras_on_every_photo(
    tmp_path: Path, photos: Path, keras_answers: dict[str, tuple[str, float]], batch_size: int, bucket_size: int
) -> None:
    engine = EngineConfig(store=tmp_path, batch_size=batch_size, bucket_size=bucket_size)
    table = results(photos, engine)
    found = answers(table)
    assert {name: class_id for name, (class_id, _) in found.items()} == {
        name: class_id for name, (class_id, _) in keras_answers.items()
    }
    differences = {name: abs(found[name][1] - score) for name, (_, score) in keras_answers.items()}
    reduced = {path.name for path in photos.iterdir() if is_reduced(path)}
    assert 0 < len(reduced) < 100
    assert max(differences[name] for name in set(differences) - reduced) < 1e-5
    assert max(differences[name] for name in reduced) < 0.01
    figures = evaluate(table)
    assert (figures.support, round(figures.top_1, 4), round(figures.top_k, 4)) == (300, 0.85, 0.97)


@pytest.mark.usefixtures("spark")
def test_sparks_decoder_changes_no_label(
    tmp_path: Path, photos: Path, keras_answers: dict[str, tuple[str, float]]
) -> None:
    by_image = answers(results(photos, EngineConfig(store=tmp_path), reader="image"))
    # JPEG decoders differ by rounding, so scores do; a label that turns with it would be a fault of ours.
    assert {name: class_id for name, (class_id, _) in by_image.items()} == {
        name: class_id for name, (class_id, _) in keras_answers.items()
    }
