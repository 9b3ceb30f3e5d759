"""Build the Keras model that a ResolvedModel describes. Imports Keras and TensorFlow when called."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import Any

import numpy as np

from sparkcore.errors import ModelError, WeightsError
from sparkcore.models.framework_errors import framework_errors
from sparkcore.models.published_weights import PackagedWeights
from sparkcore.models.registry import ModelSpec, find_spec
from sparkcore.models.resolve import ResolvedModel
from sparkcore.models.tensorflow_import import import_tensorflow

# Keras adds this division to EfficientNet B0 to B7 only where it loads the published weights itself: they were trained
# with pixels that were divided by the square root of the deviation once more.
PUBLISHED_RESCALE = "efficientnet_b"
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def build_keras_model(model: ResolvedModel) -> Any:
    """Return the Keras model with its weights.

    Raises ModelError for a file that Keras cannot open in safe mode (which runs no code from the file), WeightsError
    for weights that do not fit the architecture, RunFailedError where memory runs out.
    """
    keras = _import_keras()
    if model.kind == "file":
        return _load_archive(keras, model.weights_path, ModelError)
    spec = find_spec(model.name)
    if model.seed is not None:
        keras.utils.set_random_seed(model.seed)
        return _build(keras, spec, None)
    if isinstance(spec.weights, PackagedWeights):
        return _build(keras, spec, model.weights_path)
    if model.weights_path is not None and model.weights_path.suffix == ".keras":
        return _load_same_architecture(keras, spec, model)
    return _load_weights(keras, spec, model)


def _import_keras() -> Any:
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    import_tensorflow()
    import keras

    return keras


def _build(keras: Any, spec: ModelSpec, weights: Any) -> Any:
    module, _, function = spec.builder.rpartition(":")
    builder = getattr(importlib.import_module(module) if module else keras.applications, function)
    return builder(weights=weights)


def _load_archive(keras: Any, path: Any, refused: type[ModelError]) -> Any:
    message = f"model: Keras cannot open {path} in safe mode, which allows neither Lambda layers nor custom classes"
    with framework_errors(message, refused):
        return keras.saving.load_model(path, compile=False, safe_mode=True)


def _load_same_architecture(keras: Any, spec: ModelSpec, model: ResolvedModel) -> Any:
    loaded = _load_archive(keras, model.weights_path, WeightsError)
    expected = [tuple(weight.shape) for weight in _build(keras, spec, None).weights]
    if [tuple(weight.shape) for weight in loaded.weights] != expected:
        raise WeightsError(
            f"weights: expected the {len(expected)} weights of {spec.name}, but the model in {model.weights_path} has "
            "others. Give the file as the model itself, with its labels and its preprocessing."
        )
    return loaded


def _load_weights(keras: Any, spec: ModelSpec, model: ResolvedModel) -> Any:
    built = _build(keras, spec, None)
    # Keras leaves weights that some files lack at their random start, with a warning at most.
    floats = [weight for weight in built.weights if "float" in str(weight.dtype)]
    for weight in floats:
        weight.assign(np.full(weight.shape, np.nan))
    message = f"weights: {model.weights_path} does not hold the weights of {spec.name}, top included"
    with framework_errors(message, WeightsError), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        built.load_weights(model.weights_path)
    missing = [weight.path for weight in floats if np.isnan(weight.numpy()).any()]
    if missing:
        raise WeightsError(f"{message}: {len(missing)} weights are missing, {missing[0]} is the first.")
    if model.is_published and spec.name.startswith(PUBLISHED_RESCALE):
        return _with_published_rescale(keras, built)
    return built


def _with_published_rescale(keras: Any, model: Any) -> Any:
    scale = [deviation**-0.5 for deviation in IMAGENET_DEVIATION]

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = layer(*args, **kwargs)
        return keras.layers.Rescaling(scale)(output) if isinstance(layer, keras.layers.Normalization) else output

    rescaled = keras.models.clone_model(model, call_function=call)
    rescaled.set_weights(model.get_weights())
    return rescaled
