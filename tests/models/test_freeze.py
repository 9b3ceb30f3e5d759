from __future__ import annotations

import json
import multiprocessing
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparkcore.config import Fit, RunConfig
from sparkcore.errors import ConfigError, ModelError, WeightsError
from sparkcore.models import freeze as freeze_module
from sparkcore.models.freeze import freeze
from sparkcore.models.frozen import FeatureOutput, FrozenModel
from sparkcore.models.predictor import Predictor, load_predictor
from sparkcore.models.resolve import ResolvedModel, resolve_model
from tests.models.fixture_model import COLORS, copy_fixture_model, frozen_fixture, write_fixture_model

SIDE = 16


@pytest.fixture(scope="module")
def colors(colors_model: Path) -> ResolvedModel:
    return _resolve(colors_model)


def _resolve(path: Path, **values: Any) -> ResolvedModel:
    return resolve_model(RunConfig(images="images", model=str(path), **values))


def _save(folder: Path, model: Any, classes: int, suffix: str = ".keras") -> ResolvedModel:
    path = folder / f"model{suffix}"
    model.save(path)
    path.with_suffix(".json").write_text(json.dumps({"labels": [f"c{i}" for i in range(classes)], "preprocess": "tf"}))
    return _resolve(path)


def _images(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def _random_weights(model: Any) -> None:
    """Give every weight, those of batch normalizations too, a value that shows in the scores."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        is_positive = weight.name in ("gamma", "moving_variance")
        low, high = (0.5, 2.0) if is_positive else (-0.5, 0.5)
        weight.assign(rng.uniform(low, high, weight.shape))


def test_frozen_model_says_what_goes_in_and_out(colors: ResolvedModel, tmp_path: Path):
    frozen = freeze(colors, "float32", tmp_path / "new" / "cache")
    assert frozen == FrozenModel(
        path=tmp_path / "new" / "cache" / f"{colors.digest}.pb",
        digest=colors.digest,
        precision="float32",
        height=32,
        width=32,
        fit=Fit("stretch"),
        class_ids=tuple(COLORS),
        labels=tuple(COLORS),
        runtime="openvino",
        features=FeatureOutput(32, 32, 3, has_head=True),
    )
    assert pickle.loads(pickle.dumps(frozen)) == frozen
    assert sorted(path.suffix for path in frozen.path.parent.iterdir()) == [".json", ".npz", ".pb"]


def test_second_time_nothing_is_built(colors: ResolvedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = freeze(colors, "float32", tmp_path)

    def graph_bytes(_: ResolvedModel) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(freeze_module, "_graph_bytes", graph_bytes)
    assert freeze(colors, "float32", tmp_path) == first
    assert freeze(colors, "bfloat16", tmp_path).path == first.path
    first.path.with_suffix(".json").unlink()
    with pytest.raises(AssertionError, match="built again"):
        freeze(colors, "float32", tmp_path)


def test_graph_of_an_older_version_is_made_anew(colors: ResolvedModel, tmp_path: Path):
    frozen = freeze(colors, "float32", tmp_path)
    signature = frozen.path.with_suffix(".json")
    signature.write_text(json.dumps({**json.loads(signature.read_text()), "graph_version": 0}))
    frozen.path.write_bytes(b"old")
    assert len(freeze(colors, "float32", tmp_path).path.read_bytes()) > 3


def test_stored_graph_of_the_fixture_model_is_what_freezing_it_anew_gives(tmp_path: Path):
    for folder in ("model", "stored", "anew"):
        (tmp_path / folder).mkdir()
    anew = freeze(_resolve(write_fixture_model(tmp_path / "model")), "float32", tmp_path / "anew")
    stored = frozen_fixture(tmp_path / "stored")
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    scores = [Predictor(frozen, 1).predict(images) for frozen in (stored, anew)]
    np.testing.assert_allclose(scores[0], scores[1], rtol=0, atol=1e-6)
    assert replace(anew, path=stored.path, digest=stored.digest) == stored


def test_a_use_makes_a_frozen_model_young(tmp_path: Path):
    frozen = frozen_fixture(tmp_path)
    signature = frozen.path.with_suffix(".json")
    os.utime(signature, (0, 0))
    assert freeze(_resolve(copy_fixture_model(tmp_path)), "float32", tmp_path) == frozen
    assert signature.stat().st_mtime > 0  # `gc` removes old ones


@pytest.mark.soak  # runs do so all the time: tests/engine
def test_freezes_in_another_process(colors: ResolvedModel, tmp_path: Path):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        frozen = pool.submit(freeze, colors, "float32", tmp_path).result()
    assert frozen == freeze(colors, "float32", tmp_path)
    red = np.full((1, 32, 32, 3), (255, 0, 0), np.uint8)
    assert frozen.labels[load_predictor(frozen).predict(red).argmax()] == "red"


def test_unknown_precision(colors: ResolvedModel, tmp_path: Path):
    with pytest.raises(ConfigError, match="float16"):
        freeze(colors, "float16", tmp_path)


def _convolutions(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((SIDE, SIDE, 3))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(image))
    shortcut = layers.ReLU()(x)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=2)(shortcut))
    x = layers.BatchNormalization()(layers.SeparableConv2D(8, 3)(layers.Activation("swish")(x)))
    x = layers.Add()([x, layers.Cropping2D(2)(shortcut)])
    x = layers.BatchNormalization()(layers.Dense(12)(layers.GlobalAveragePooling2D()(x)))
    return keras.Model(image, layers.Dense(5, activation="softmax")(x))


def test_convolutions_and_batch_normalizations(tmp_path: Path):
    import keras

    model = _convolutions(keras)
    _random_weights(model)
    frozen = freeze(_save(tmp_path, model, 5), "float32", tmp_path)
    expected = model.predict(_images() / np.float32(127.5) - np.float32(1), verbose=0)
    assert np.ptp(expected, axis=0).max() > 0.01
    np.testing.assert_allclose(load_predictor(frozen).predict(_images()), expected, rtol=0, atol=1e-5)


def test_batch_normalization_beside_another_reader_of_its_input(tmp_path: Path):
    import keras

    layers = keras.layers
    image = keras.Input((SIDE, SIDE, 3))
    convolved = layers.Conv2D(4, 3)(image)
    joined = layers.Concatenate()([convolved, layers.BatchNormalization()(convolved)])
    model = keras.Model(image, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(joined)))
    _random_weights(model)
    frozen = freeze(_save(tmp_path, model, 3), "float32", tmp_path)
    expected = model.predict(_images() / np.float32(127.5) - np.float32(1), verbose=0)
    np.testing.assert_allclose(load_predictor(frozen).predict(_images()), expected, rtol=0, atol=1e-5)


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-scores))


@pytest.mark.parametrize(
    ("units", "activation", "classes", "read"),
    [
        (3, "softmax", 3, _softmax),
        (3, None, 3, _softmax),
        (3, "sigmoid", 3, _sigmoid),
        (1, "sigmoid", 2, lambda scores: np.hstack([1 - _sigmoid(scores), _sigmoid(scores)])),
        (1, None, 2, lambda scores: np.hstack([1 - _sigmoid(scores), _sigmoid(scores)])),
    ],
)
def test_output_is_read_by_its_activation(
    tmp_path: Path, units: int, activation: str | None, classes: int, read: Callable[[np.ndarray], np.ndarray]
):
    import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Flatten(), layers.Dense(units, activation)])
    _random_weights(model)
    frozen = freeze(_save(tmp_path, model, classes), "float32", tmp_path)
    kernel, bias = (weight.numpy() for weight in model.weights)
    logits = (_images() / 127.5 - 1).reshape(6, -1) @ kernel + bias
    np.testing.assert_allclose(load_predictor(frozen).predict(_images()), read(logits), rtol=0, atol=1e-5)


def test_h5_file(tmp_path: Path):
    import keras

    model = _convolutions(keras)
    _random_weights(model)
    frozen = freeze(_save(tmp_path, model, 5, ".h5"), "float32", tmp_path)
    expected = model.predict(_images() / np.float32(127.5) - np.float32(1), verbose=0)
    np.testing.assert_allclose(load_predictor(frozen).predict(_images()), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_code_in_a_file_is_not_run(tmp_path: Path, suffix: str):
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), layers.Lambda(lambda x: x), layers.Flatten(), layers.Dense(2)]
    )
    with pytest.raises(ModelError, match="in safe mode"):
        freeze(_save(tmp_path, model, 2, suffix), "float32", tmp_path)
    assert list(tmp_path.glob("*.pb")) == []


def test_output_that_only_the_graph_knows_must_fit_the_labels(tmp_path: Path):
    import keras

    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.MaxPooling2D(8), keras.layers.Flatten()])
    with pytest.raises(ModelError, match=r"shape \[n, 5\] for its labels, received \[None, 12\]"):
        freeze(_save(tmp_path, model, 5), "float32", tmp_path)


def test_two_outputs(tmp_path: Path):
    import keras

    image = keras.Input((SIDE, SIDE, 3))
    flat = keras.layers.Flatten()(image)
    model = keras.Model(image, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
    with pytest.raises(ModelError, match="one input and one output, received 1 and 2"):
        freeze(_save(tmp_path, model, 2), "float32", tmp_path)


def test_weights_of_another_model(tmp_path: Path):
    import keras

    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(path)
    model = resolve_model(RunConfig(images="images", model="mobilenet_v2", weights=str(path)))
    with pytest.raises(WeightsError, match="does not hold the weights of mobilenet_v2"):
        freeze(model, "float32", tmp_path)


@pytest.mark.parametrize("name", ["probabilities", "features", "images", "Identity"])
def test_names_of_a_model_that_are_those_of_the_graph(tmp_path: Path, name: str):
    import keras

    layers = keras.layers
    inside = [keras.Input((SIDE, SIDE, 3)), layers.Flatten(), layers.Dense(3, "softmax", name=name)]
    model = keras.Sequential(inside, name=name)
    _random_weights(model)
    frozen = freeze(_save(tmp_path, model, 3), "float32", tmp_path)
    expected = model.predict(_images() / np.float32(127.5) - np.float32(1), verbose=0)
    np.testing.assert_allclose(load_predictor(frozen).predict(_images()), expected, rtol=0, atol=1e-5)
