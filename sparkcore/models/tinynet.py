"""tinynet, the built-in classifier: a small residual network for 64x64 photos in 200 ImageNet classes.

This module holds the architecture and reads the weights; `training/` at the root of the repository holds the recipe,
and TINYNET.md beside this file says what the model was trained on, how well it does and where it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sparkcore.errors import WeightsError

if TYPE_CHECKING:
    import keras

SIDE = 64
CLASS_COUNT = 200
STEM_FILTERS = 32
STAGES = ((64, 1), (128, 2), (256, 2))  # filters and blocks; every stage halves height and width
WEIGHTS_FILE = Path(__file__).with_name("tinynet.weights.npz")
CLASS_FILE = "tinynet_classes.txt"


@dataclass(frozen=True, slots=True)
class ConvSpec:
    """Describe one convolution; `name` is unique in the network."""

    name: str
    filters: int
    kernel_side: int
    stride: int = 1


Convolution = Callable[[Any, ConvSpec], Any]


def build_tinynet(weights: Path | None = WEIGHTS_FILE) -> keras.Model:
    """Build the classifier: float32 RGB of 0 to 255 (n, 64, 64, 3) in, calibrated probabilities (n, 200) out.

    Scaling of pixels is inside the model. `weights` is a file written by `training.export`; None leaves the random
    initial values. Raises WeightsError where the file is missing or does not fit the architecture.
    """
    import keras

    inputs = keras.Input((SIDE, SIDE, 3), name="pixels")
    features = extract_features(inputs, _biased_convolution)
    outputs = keras.layers.Dense(CLASS_COUNT, activation="softmax", name="classes")(features)
    model = keras.Model(inputs, outputs, name="tinynet")
    if weights is not None:
        _load_weights(model, weights)
    return model


def extract_features(pixels: Any, convolution: Convolution) -> Any:
    """Connect the network from pixels of 0 to 255 to the pooled features (n, 256).

    `convolution` adds one convolution without activation: with a bias here, with batch normalization while training.
    Residual blocks: He et al. 2016 (arXiv:1512.03385); average pooling in the shortcuts: He et al. 2019
    (arXiv:1812.01187).
    """
    from keras import layers

    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pixels)
    x = layers.ReLU()(convolution(x, ConvSpec("stem", STEM_FILTERS, 3, stride=2)))
    for stage, (filters, blocks) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            x = _residual_block(x, filters, f"stage{stage}_block{block}", convolution)
    return layers.GlobalAveragePooling2D(name="features")(x)


def _residual_block(x: Any, filters: int, name: str, convolution: Convolution) -> Any:
    """Add two 3x3 convolutions and a shortcut; where the number of filters changes, halve height and width."""
    from keras import layers

    halve = x.shape[-1] != filters
    y = convolution(x, ConvSpec(f"{name}_conv1", filters, 3, stride=2 if halve else 1))
    y = convolution(layers.ReLU()(y), ConvSpec(f"{name}_conv2", filters, 3))
    if halve:
        x = layers.AveragePooling2D(2, padding="same")(x)
        x = convolution(x, ConvSpec(f"{name}_shortcut", filters, 1))
    return layers.ReLU()(layers.Add()([x, y]))


def _biased_convolution(x: Any, spec: ConvSpec) -> Any:
    from keras import layers

    return layers.Conv2D(spec.filters, spec.kernel_side, strides=spec.stride, padding="same", name=spec.name)(x)


def _load_weights(model: keras.Model, path: Path) -> None:
    """Set every kernel and bias from a file of float16 arrays named `layer/kernel` and `layer/bias`."""
    arrays = _read_arrays(path)
    for layer in model.layers:
        if not layer.weights:
            continue
        values = [arrays.get(f"{layer.name}/{part}") for part in ("kernel", "bias")]
        expected = [tuple(weight.shape) for weight in layer.weights]
        received = [None if value is None else value.shape for value in values]
        if received != expected:
            raise WeightsError(
                f"tinynet: expected arrays of shapes {expected} for layer {layer.name} in {path}, received {received}. "
                "Give a file written by training.export for this version."
            )
        layer.set_weights([np.asarray(value, np.float32) for value in values])


def _read_arrays(path: Path) -> dict[str, npt.NDArray[np.float16]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(f"tinynet: expected an .npz file of weights at {path}, but {error}.") from error
