"""EfficientNet-Lite0, the built-in classifier: its architecture in Keras, with weights read from a PyTorch file.

EfficientNet without squeeze-and-excitation and with ReLU6 in place of swish (Tan and Le 2019, arXiv:1905.11946, and
the Lite variants that Google published in 2020). docs/models.md has the figures and where the weights come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkcore.errors import WeightsError
from sparkcore.models.torch_weights import Array, read_torch_weights

if TYPE_CHECKING:
    import keras

SIDE = 224
CLASS_COUNT = 1000
STEM_FILTERS = 32
HEAD_FILTERS = 1280
EPSILON = 1e-3
DROPOUT = 0.2


@dataclass(frozen=True, slots=True)
class Stage:
    """Describe consecutive blocks; the stride is that of the first, all others have stride 1."""

    repeats: int
    kernel_side: int
    stride: int
    expansion: int
    filters: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def build_efficientnet_lite0(weights: Path | None = None) -> keras.Model:
    """Build the classifier: float32 RGB of 0 to 255 (n, 224, 224, 3) in, probabilities (n, 1000) out.

    The scaling of pixels is part of the model. `weights` is a PyTorch file; None leaves the random initial values.
    Raises WeightsError for a file that is damaged or does not fit the architecture.
    """
    import keras
    from keras import layers

    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(pixels)
    x = layers.Conv2D(STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="conv_stem")(x)
    x = _normalized(x, "bn0", relu=True)
    blocks = [(stage, stage.stride if i == 0 else 1) for stage in STAGES for i in range(stage.repeats)]
    for number, (stage, stride) in enumerate(blocks):
        x = _block(x, stage, stride, f"blocks_{number}")
    x = layers.Conv2D(HEAD_FILTERS, 1, use_bias=False, name="conv_head")(x)
    x = _normalized(x, "bn1", relu=True)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(DROPOUT, name="dropout")(x)
    outputs = layers.Dense(CLASS_COUNT, activation="softmax", name="fc")(x)
    model = keras.Model(pixels, outputs, name="efficientnet_lite0")
    if weights is not None:
        _load_weights(model, weights)
    return model


def _block(x: Any, stage: Stage, stride: int, name: str) -> Any:
    """Add an inverted residual: expand, filter each channel, project."""
    from keras import layers

    y, before = x, x.shape[-1]
    if stage.expansion > 1:
        y = layers.Conv2D(before * stage.expansion, 1, use_bias=False, name=f"{name}_expand_conv")(y)
        y = _normalized(y, f"{name}_bn0", relu=True)
    y = layers.DepthwiseConv2D(
        stage.kernel_side, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(y)
    y = _normalized(y, f"{name}_bn1", relu=True)
    y = layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project_conv")(y)
    y = _normalized(y, f"{name}_bn2", relu=False)
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and before == stage.filters else y


def _normalized(x: Any, name: str, *, relu: bool) -> Any:
    from keras import layers

    x = layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def _load_weights(model: keras.Model, path: Path) -> None:
    """Set all weights; layers have the names of the file without leading underscores, and underscores for dots.

    Raises WeightsError where a tensor is missing or has another shape.
    """
    tensors = {_plain(name): tensor for name, tensor in read_torch_weights(path).items()}
    for layer in model.layers:
        if layer.weights:
            values = [_to_keras(tensors.get(f"{layer.name}_{part}"), layer) for part in _parts(layer)]
            expected = [tuple(weight.shape) for weight in layer.weights]
            received = [None if value is None else value.shape for value in values]
            if received != expected:
                raise WeightsError(
                    f"weights: expected tensors of shapes {expected} for layer {layer.name} in {path}, received "
                    f"{received}. Give a PyTorch state dict of {model.name}."
                )
            layer.set_weights(values)


def _plain(name: str) -> str:
    return name.replace("._", "_").replace(".", "_").lstrip("_")


def _parts(layer: Any) -> tuple[str, ...]:
    if type(layer).__name__ == "BatchNormalization":
        return ("weight", "bias", "running_mean", "running_var")
    return ("weight", "bias")[: len(layer.weights)]


def _to_keras(tensor: Array | None, layer: Any) -> Array | None:
    """Bring a tensor from PyTorch's order of axes (outputs first) to Keras's."""
    if tensor is None or tensor.ndim == 1:
        return tensor
    if tensor.ndim == 2:
        return tensor.T
    is_depthwise = type(layer).__name__ == "DepthwiseConv2D"
    return np.transpose(tensor, (2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0))
