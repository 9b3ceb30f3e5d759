from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sparkcore.errors import ModelError
from sparkcore.models.registry import MODEL_SPECS, ModelSpec, find_spec

KERAS_SPECS = [spec for spec in MODEL_SPECS if ":" not in spec.builder]
# Keras builds these for any size; the one they were trained with stands in the name of their weights.
FREE_SIZE = ("mobilenet_v3_small", "mobilenet_v3_large")


@dataclass
class SeenError(Exception):
    """Leave a Keras builder with what it asked for."""

    value: Any


def test_every_classifier_of_keras_is_known():
    import keras

    builders = {name for name, value in vars(keras.applications).items() if inspect.isfunction(value)}
    assert {spec.builder for spec in KERAS_SPECS} == builders
    assert len(KERAS_SPECS) == len(builders)


@pytest.mark.parametrize(
    "spec", [spec for spec in KERAS_SPECS if spec.name not in FREE_SIZE], ids=lambda spec: spec.name
)
def test_input_size_is_the_default_of_keras(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch):
    import keras
    from keras.src.applications import imagenet_utils

    ask = imagenet_utils.obtain_input_shape

    def obtain_input_shape(*args: Any, **kwargs: Any) -> None:
        raise SeenError(ask(*args, **kwargs))

    monkeypatch.setattr(imagenet_utils, "obtain_input_shape", obtain_input_shape)
    with pytest.raises(SeenError) as seen:
        getattr(keras.applications, spec.builder)(weights=None)
    assert seen.value.value == (spec.height, spec.width, 3)


@pytest.mark.parametrize("name", FREE_SIZE)
def test_input_size_without_a_default_is_that_of_the_weights(name: str):
    spec = find_spec(name)
    assert f"_{spec.height}_" in spec.weights.file_name
    assert spec.height == spec.width


@pytest.mark.parametrize("spec", KERAS_SPECS, ids=lambda spec: spec.name)
def test_preprocessing_is_that_of_keras(spec: ModelSpec):
    import importlib

    import keras
    import tensorflow as tf

    from sparkcore.models.graph import preprocess_images

    module = getattr(keras.applications, spec.builder).__module__.rpartition(".")[2]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 50, 40, 3), dtype=np.uint8)
    expected = importlib.import_module(f"keras.applications.{module}").preprocess_input(pixels.astype(np.float32))
    result = preprocess_images(tf.constant(pixels), spec.preprocess).numpy()
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        *(pytest.param(name, marks=pytest.mark.soak) for name in ("resnet50", "mobilenet_v3_small", "nasnet_mobile")),
    ],
)
def test_default_weights_are_the_file_that_keras_asks_for(name: str, monkeypatch: pytest.MonkeyPatch):
    import keras
    from keras.src.utils import file_utils

    def get_file(file_name: str, origin: str, cache_subdir: str, file_hash: str | None = None) -> None:
        raise SeenError((file_name, origin, cache_subdir, file_hash))

    monkeypatch.setattr(file_utils, "get_file", get_file)
    spec = find_spec(name)
    with pytest.raises(SeenError) as seen:
        getattr(keras.applications, spec.builder)(weights="imagenet")
    assert seen.value.value == (spec.weights.file_name, spec.weights.url, "models", spec.weights.checksum)


def test_names_are_unique_and_point_back():
    assert [find_spec(spec.name) for spec in MODEL_SPECS] == list(MODEL_SPECS)


def test_application_has_the_classes_of_imagenet():
    assert len(find_spec("resnet50").classes) == 1000


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ResNet-50", "Did you mean resnet50?"),
        ("mobilenetv2", "Did you mean mobilenet_v2?"),
        ("efficientnetb0", "Did you mean efficientnet_b0?"),
        ("something else", "Known are resnet50, "),
    ],
)
def test_unknown_name_gets_a_hint(name: str, hint: str):
    with pytest.raises(ModelError) as error:
        find_spec(name)
    assert hint in str(error.value)
