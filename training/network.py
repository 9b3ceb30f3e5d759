"""The network while it is trained: batch normalization after every convolution, and logits instead of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sparkcore.models.tinynet import CLASS_COUNT, ConvSpec, extract_features

if TYPE_CHECKING:
    import keras

NORM_MOMENTUM = 0.95
NORM_EPSILON = 1e-3


def build_trainable(seed: int) -> keras.Model:
    """Build the network with random initial weights, for pixels (n, height, width, 3) of any size, giving logits."""
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, None, 3), name="pixels")
    features = extract_features(inputs, _normalized_convolution)
    return keras.Model(inputs, keras.layers.Dense(CLASS_COUNT, name="classes")(features))


def _normalized_convolution(x: Any, spec: ConvSpec) -> Any:
    from keras import layers

    convolution = layers.Conv2D(
        spec.filters, spec.kernel_side, strides=spec.stride, padding="same", use_bias=False, name=spec.name
    )
    norm = layers.BatchNormalization(momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON, name=f"{spec.name}_norm")
    return norm(convolution(x))


def fold_weights(model: keras.Model, temperature: float) -> dict[str, npt.NDArray[np.float16]]:
    """Fold batch normalization into the kernels and the temperature into the last layer, as float16 arrays.

    The names are those that `build_tinynet` reads: `layer/kernel` and `layer/bias`.
    """
    arrays: dict[str, npt.NDArray[np.float16]] = {}
    norms = [layer.name.removesuffix("_norm") for layer in model.layers if layer.name.endswith("_norm")]
    for name in norms:
        (kernel,) = model.get_layer(name).get_weights()
        gamma, beta, mean, variance = model.get_layer(f"{name}_norm").get_weights()
        scale = gamma / np.sqrt(variance + NORM_EPSILON)
        arrays[f"{name}/kernel"] = (kernel * scale).astype(np.float16)
        arrays[f"{name}/bias"] = (beta - mean * scale).astype(np.float16)
    kernel, bias = model.get_layer("classes").get_weights()
    arrays["classes/kernel"] = (kernel / temperature).astype(np.float16)
    arrays["classes/bias"] = (bias / temperature).astype(np.float16)
    return arrays
