"""Proof that scores are those of Keras: same weights, same pixels, its own `preprocess_input` and `predict`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparkcore.config import RunConfig
from sparkcore.models import keras_model
from sparkcore.models.freeze import freeze
from sparkcore.models.keras_model import build_keras_model
from sparkcore.models.predictor import load_predictor
from sparkcore.models.registry import find_spec
from sparkcore.models.resolve import resolve_model
from sparkcore.models.top_k import top_k
from tests.conftest import shared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MOBILENET = "models/mobilenet_v2_imagenet.keras"
TOLERANCE = 1e-5


def _images(side: int) -> np.ndarray:
    """Make six images with shapes, shading and noise, as photos have."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side] / side
    images = []
    for _ in range(6):
        shading = np.stack([np.sin(6 * (a * x + b * y) + c) for a, b, c in rng.normal(0, 2, (3, 3))], axis=-1)
        center, radius = rng.uniform(0.2, 0.8, 2), rng.uniform(0.1, 0.4)
        disc = ((x - center[0]) ** 2 + (y - center[1]) ** 2 < radius**2)[..., None] * rng.normal(0, 2, 3)
        images.append(127 + 60 * (shading + disc) + rng.normal(0, 8, (side, side, 3)))
    return np.clip(images, 0, 255).astype(np.uint8)


def _preprocess_input(builder: str) -> Callable[[np.ndarray], np.ndarray]:
    import keras

    module = getattr(keras.applications, builder).__module__.rpartition(".")[2]
    return importlib.import_module(f"keras.applications.{module}").preprocess_input


def _keras_scores(model: Any, builder: str, images: np.ndarray) -> np.ndarray:
    return model.predict(_preprocess_input(builder)(images.astype(np.float32)), batch_size=32, verbose=0)


def _spread_weights(model: Any, builder: str, images: np.ndarray) -> None:
    """Give random weights scores that differ between images and between classes.

    Batch normalizations take the statistics of these images, as training would leave them: without that the signal
    of an image dies away on its long way. The last layer is scaled.
    """
    import keras

    rng = np.random.default_rng(1)
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in normalizations:
        layer.momentum = 0.0
        for weight, middle in ((layer.gamma, 1.0), (layer.beta, 0.0)):
            if weight is not None:
                weight.assign(rng.uniform(middle - 0.2, middle + 0.2, weight.shape))
    model(_preprocess_input(builder)(images.astype(np.float32)), training=True)
    logits = np.log(np.maximum(_keras_scores(model, builder, images), 1e-30))
    last = [layer for layer in model.layers if layer.weights][-1]
    kernel, *bias = last.get_weights()
    last.set_weights([kernel * 2.0 / logits.std(axis=1).mean(), *bias])


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        *(
            pytest.param(name, marks=pytest.mark.soak)
            for name in ("resnet50", "densenet121", "mobilenet_v3_small", "efficientnet_b0")
        ),
    ],
)
def test_frozen_model_gives_the_scores_of_keras(tmp_path: Path, name: str):
    import keras

    spec = find_spec(name)
    images = _images(spec.height)
    keras.utils.set_random_seed(7)
    model = getattr(keras.applications, spec.builder)(weights=None)
    _spread_weights(model, spec.builder, images)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    expected = _keras_scores(model, spec.builder, images)
    assert expected.max(axis=1).min() > 0.01  # a thousand equal scores would prove nothing
    assert expected.max() < 0.999
    assert np.ptp(expected, axis=0).max() > 1000 * TOLERANCE

    frozen = freeze(resolve_model(RunConfig(images="x", model=name, weights=str(path))), "float32", tmp_path)
    scores = load_predictor(frozen, 2).predict(images)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocessing_of_a_model_file_is_that_of_keras(tmp_path: Path, mode: str):
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(8, 5), layers.ReLU(), layers.Flatten()])
    model.add(layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3), activation="softmax"))
    path = tmp_path / "model.keras"
    model.save(path)
    path.with_suffix(".json").write_text(json.dumps({"labels": ["a", "b", "c"], "preprocess": mode}))
    images = _images(32)
    inputs = keras.applications.imagenet_utils.preprocess_input(images.astype(np.float32), mode=mode)
    expected = model.predict(inputs, verbose=0)
    assert 1 > expected.max() > expected.min() > 0
    frozen = freeze(resolve_model(RunConfig(images="x", model=str(path))), "float32", tmp_path)
    np.testing.assert_allclose(load_predictor(frozen, 1).predict(images), expected, rtol=0, atol=TOLERANCE)


def test_published_rescale_divides_by_the_root_of_the_deviation():
    import keras

    layers = keras.layers
    normalization = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 9.0, 16.0])
    model = keras.Sequential([keras.Input((2, 2, 3)), normalization, layers.Conv2D(3, 1, use_bias=False)])
    model.layers[-1].set_weights([np.eye(3, dtype=np.float32)[None, None]])
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 2, 2, 3)).astype(np.float32)
    rescaled = keras_model._with_published_rescale(keras, keras.Model(model.inputs, model.outputs))
    expected = model.predict(pixels, verbose=0) / np.sqrt(keras_model.IMAGENET_DEVIATION)
    np.testing.assert_allclose(rescaled.predict(pixels, verbose=0), expected, rtol=1e-5)


@pytest.mark.soak
def test_published_efficientnet_weights_get_the_layer_that_keras_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import keras
    from keras.src.utils import file_utils

    path = tmp_path / "efficientnetb0.weights.h5"
    images = _images(224)
    plain = keras.applications.EfficientNetB0(weights=None)
    _spread_weights(plain, "EfficientNetB0", images)
    plain.save_weights(path)
    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
    expected = _keras_scores(keras.applications.EfficientNetB0(weights="imagenet"), "EfficientNetB0", images)

    model = resolve_model(RunConfig(images="x", model="efficientnet_b0", weights=str(path)))
    published = build_keras_model(replace(model, is_published=True))
    np.testing.assert_allclose(_keras_scores(published, "EfficientNetB0", images), expected, rtol=0, atol=TOLERANCE)
    own = _keras_scores(build_keras_model(model), "EfficientNetB0", images)
    assert np.abs(own - expected).max() > 10 * TOLERANCE


def test_random_weights_repeat():
    model = resolve_model(RunConfig(images="x", model="mobilenet_v3_small", weights="random:3"))
    first, second = (build_keras_model(model).get_weights() for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(weight.std() > 0.01 for weight in first)


@pytest.fixture(scope="module")
def pixels(photos: Path) -> np.ndarray:
    """Give the photos in the order of their names, stretched to 224 x 224."""
    paths = sorted(photos.iterdir())
    images = [Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC) for path in paths]
    return np.stack([np.asarray(image) for image in images])


@pytest.fixture(scope="module")
def keras_scores(pixels: np.ndarray) -> np.ndarray:
    import keras

    model = keras.saving.load_model(shared(MOBILENET), safe_mode=True)
    return _keras_scores(model, "MobileNetV2", pixels)


@pytest.mark.soak  # tests/engine/test_photos.py does it through Spark
@pytest.mark.parametrize("batch_size", [1, 32])
def test_real_photos_get_the_scores_of_keras(
    tmp_path: Path, photos: Path, pixels: np.ndarray, keras_scores: np.ndarray, batch_size: int
):
    truth = [path.name.partition("_")[0] for path in sorted(photos.iterdir())]
    request = RunConfig(images="x", model="mobilenet_v2", weights=str(shared(MOBILENET)))
    frozen = freeze(resolve_model(request), "float32", tmp_path)
    predictor = load_predictor(frozen, 2)
    batches = [pixels[start : start + batch_size] for start in range(0, len(pixels), batch_size)]
    scores = np.concatenate([predictor.predict(batch) for batch in batches])

    np.testing.assert_array_equal(scores.argmax(axis=1), keras_scores.argmax(axis=1))
    np.testing.assert_allclose(scores, keras_scores, rtol=0, atol=TOLERANCE)
    best = [[frozen.class_ids[i] for i in row] for row in top_k(scores, 5).indices]
    top_1 = [class_id == row[0] for class_id, row in zip(truth, best, strict=True)]
    top_5 = [class_id in row for class_id, row in zip(truth, best, strict=True)]
    assert (len(truth), sum(top_1), sum(top_5)) == (300, 255, 291)  # 85.0 % and 97.0 %
