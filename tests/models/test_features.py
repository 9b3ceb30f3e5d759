"""Features against Keras and ONNX: the map's mean is what the model pools, activation maps add up to the logits."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparkcore.config import RunConfig
from sparkcore.imaging.transforms import ImageSize, resize, to_array
from sparkcore.models.features import (
    MAP_SIDE,
    ZERO,
    class_activation_maps,
    describe_features,
    embeddings,
    map_bytes,
    pooled,
    projection,
)
from sparkcore.models.freeze import freeze
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.graph import preprocess_images
from sparkcore.models.keras_model import build_keras_model
from sparkcore.models.predictor import Predictor
from sparkcore.models.resolve import ResolvedModel, resolve_model
from sparkcore.models.top_k import top_k
from tests.imaging.pictures import sample_photos
from tests.models.graph_files import SIDE, write_onnx

PHOTOS = 20


@dataclass(frozen=True)
class ByKeras:
    """What Keras makes of some photos: their pixels as the model takes them, pooled features and logits."""

    resolved: ResolvedModel
    images: np.ndarray
    pooled: np.ndarray
    logits: np.ndarray


@pytest.fixture(scope="module")
def by_keras() -> ByKeras:
    import keras

    resolved = resolve_model(RunConfig(images="x", model="efficientnet_lite0"))
    size = ImageSize(resolved.height, resolved.width)
    images = np.stack([to_array(resize(photo, size, resolved.fit, "bicubic")) for photo in sample_photos(PHOTOS)])
    model = build_keras_model(resolved)
    pooling = next(layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D))
    kernel, bias = model.layers[-1].get_weights()
    inputs = np.asarray(preprocess_images(images, resolved.preprocess))
    found = keras.Model(model.input, pooling.output).predict(inputs, verbose=0)
    return ByKeras(resolved, images, found, found @ kernel + bias)


@pytest.mark.parametrize("runtime", ["openvino", "tensorflow"])
def test_features_of_photos_are_those_of_keras(
    tmp_path_factory: pytest.TempPathFactory, by_keras: ByKeras, runtime: str
):
    frozen = freeze(by_keras.resolved, "float32", tmp_path_factory.getbasetemp(), runtime)
    predictor = Predictor(frozen, 2)
    outputs = predictor.compute(by_keras.images)
    best = top_k(outputs.scores, 5).indices
    assert outputs.features is not None
    assert predictor.head is not None
    np.testing.assert_allclose(pooled(outputs.features), by_keras.pooled, rtol=0, atol=1e-4)
    maps = class_activation_maps(outputs.features, predictor.head, best)
    sums = maps.mean(axis=(2, 3)) + predictor.head.bias[best]
    np.testing.assert_allclose(sums, np.take_along_axis(by_keras.logits, best, axis=1), rtol=0, atol=1e-3)


def test_an_onnx_model(tmp_path: Path):
    path = write_onnx(tmp_path / "model.onnx")
    path.with_suffix(".json").write_text(json.dumps({"labels": list("abcd"), "scale": 1 / 255}))
    frozen = freeze(resolve_model(RunConfig(images="x", model=str(path))), "float32", tmp_path)
    predictor = Predictor(frozen, 1)
    images = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    outputs = predictor.compute(images)
    assert outputs.features is not None
    assert predictor.head is not None
    assert outputs.features.shape == (3, SIDE - 2, SIDE - 2, 8)
    logits = pooled(outputs.features) @ predictor.head.weights.T + predictor.head.bias
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(exponentials / exponentials.sum(axis=1, keepdims=True), outputs.scores, atol=1e-5)
    assert Predictor(replace(frozen, features=None), 1).compute(images).features is None


def _frozen(folder: Path, layers_behind: list[Any], classes: int) -> FrozenModel:
    import keras

    layers = [keras.Input((SIDE, SIDE, 3)), keras.layers.Conv2D(6, 3, activation="relu", name="features")]
    model = keras.Sequential([*layers, *layers_behind])
    path = folder / "model.keras"
    model.save(path)
    path.with_suffix(".json").write_text(json.dumps({"labels": [f"c{i}" for i in range(classes)], "preprocess": "tf"}))
    return freeze(resolve_model(RunConfig(images="x", model=str(path))), "float32", folder)


def test_which_models_have_what(tmp_path_factory: pytest.TempPathFactory):
    import keras

    layers = keras.layers
    mean, dense, softmax = layers.GlobalAveragePooling2D, layers.Dense, layers.Softmax
    cases: list[tuple[list[Any], int, tuple[bool, bool]]] = [
        ([mean(), layers.Dropout(0.2), dense(3, "softmax")], 3, (True, True)),
        ([mean(keepdims=True), layers.Conv2D(3, 1), layers.Reshape((3,)), softmax()], 3, (True, True)),
        ([mean(), dense(1, "sigmoid")], 2, (True, True)),
        ([mean(), dense(4, "relu"), dense(3, "softmax")], 3, (True, False)),
        ([mean(), layers.LayerNormalization(), dense(3, "softmax")], 3, (True, False)),
        ([layers.GlobalMaxPooling2D(), dense(3, "softmax")], 3, (True, False)),
        ([layers.Flatten(), dense(3, "softmax")], 3, (False, False)),
    ]
    images = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    for behind, classes, expected in cases:
        frozen = _frozen(tmp_path_factory.mktemp("model"), behind, classes)
        has_head = frozen.features is not None and frozen.features.has_head
        assert (frozen.features is not None, has_head) == expected
        predictor = Predictor(frozen, 1)
        outputs = predictor.compute(images)
        if predictor.head is not None and outputs.features is not None:
            logits = pooled(outputs.features) @ predictor.head.weights.T + predictor.head.bias
            odds = logits[:, 1] - logits[:, 0]  # of two classes, both logits are those of one output
            ratio = np.log(outputs.scores[:, 1] / outputs.scores[:, 0])
            np.testing.assert_allclose(odds if classes > 2 else odds / 2, ratio, rtol=0, atol=1e-4)


def test_an_embedding_keeps_angles():
    rng = np.random.default_rng(0)
    maps = rng.random((40, 2, 2, 2048), dtype=np.float32)
    maps[1] = maps[0] + 0.05 * maps[1]
    found = embeddings(maps)
    assert (found.shape, found.dtype) == ((40, 512), np.float16)
    np.testing.assert_allclose(np.linalg.norm(found.astype(np.float32), axis=1), 1, atol=2e-3)
    means = pooled(maps)
    cosines = means @ means.T / np.outer(*(np.linalg.norm(means, axis=1),) * 2)
    np.testing.assert_allclose(found.astype(np.float32) @ found.astype(np.float32).T, cosines, atol=0.1)
    assert embeddings(np.zeros((1, 2, 2, 8), np.float32)).tolist() == [[0.0] * 8]
    assert embeddings(np.full((1, 3, 3, 4), 2.0, np.float32)).tolist() == [[0.5] * 4]


def test_the_projection_never_changes():
    signs = projection(600, 64) * 8
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert ["".join("+-"[int(value < 0)] for value in row[:16]) for row in signs[:2]] == SIGNS


SIGNS = ["--+-------++++--", "-++-+---+++++-++"]


def test_bytes_of_maps():
    maps = np.zeros((2, 2, 2, 2), np.float32)
    maps[0] = [[[4, 0], [-4, 1]], [[2, 2], [2, 2]]]
    assert map_bytes(maps)[0].tolist() == [[[255, 128], [1, 160]], [[192, 192], [192, 192]]]
    assert map_bytes(maps)[1].tolist() == [[[ZERO] * 2] * 2] * 2
    large = np.zeros((1, 1, 19, 12), np.float32)
    large[0, 0, :, 6:] = 1
    small = map_bytes(large)[0, 0]
    assert small.shape == (MAP_SIDE, MAP_SIDE)
    assert (small[:, :5] == ZERO).all()
    assert (small[:, 5:] == 255).all()


def test_what_a_manifest_says():
    assert describe_features((7, 7, 2048), with_maps=True) == {
        "feature_map": [7, 7, 2048],
        "embedding": 512,
        "projection": {"kind": "signs of PCG64", "seed": 512},
        "activation": [7, 7],
    }
    assert describe_features((19, 19, 40), with_maps=False) == {
        "feature_map": [19, 19, 40],
        "embedding": 40,
        "reason": "more than one layer follows the pooling: there are no activation maps",
    }
    assert set(describe_features(None, with_maps=False)) == {"reason"}
