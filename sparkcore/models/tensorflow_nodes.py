"""Operations of a frozen TensorFlow graph, as the search for a feature map sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkcore.models.feature_map import (
    ACTIVATION,
    ADDITION,
    DENSE,
    MEAN,
    OTHER,
    PASSING,
    SCALING,
    SUMMARY,
    Array,
)

_KINDS = {
    **dict.fromkeys(("Identity", "Reshape", "Squeeze", "Cast", "NoOp"), PASSING),
    **dict.fromkeys(("Softmax", "Sigmoid"), ACTIVATION),
    **dict.fromkeys(("BiasAdd", "Add", "AddV2"), ADDITION),
    "Mul": SCALING,
    **dict.fromkeys(("MatMul", "Conv2D"), DENSE),
    "Mean": MEAN,
    "Max": SUMMARY,
}
_FIRST_INPUT_ONLY = ("Reshape", "Mean", "Max", "Conv2D", "MatMul", "Squeeze")


@dataclass(frozen=True, slots=True)
class TensorFlowNode:
    """Wrap the first output of an operation."""

    operation: Any

    @property
    def name(self) -> str:
        return str(self.operation.name)

    @property
    def kind(self) -> int:
        kind = _KINDS.get(self.operation.type, OTHER)
        return OTHER if kind == DENSE and self.constant is None else kind

    @property
    def inputs(self) -> list[TensorFlowNode]:
        tensors = list(self.operation.inputs)
        count = 1 if self.operation.type in _FIRST_INPUT_ONLY else len(tensors)
        return [TensorFlowNode(tensor.op) for tensor in tensors[:count] if tensor.op.type != "Shape"]

    @property
    def shape(self) -> tuple[int | None, ...] | None:
        outputs = self.operation.outputs
        if not outputs or outputs[0].shape.rank is None:
            return None
        return tuple(outputs[0].shape.as_list())

    @property
    def constant(self) -> Array | None:
        if self.operation.type == "MatMul":
            weights = _value(self.operation.inputs[1])
            is_turned = self.operation.get_attr("transpose_b")
            return weights.T if weights is not None and is_turned else weights
        if self.operation.type == "Conv2D":
            kernel = _value(self.operation.inputs[1])
            return kernel[0, 0] if kernel is not None and kernel.shape[:2] == (1, 1) else None
        return _value(self.operation.outputs[0], ("Identity", "Reshape", "Squeeze")) if self.operation.outputs else None

    @property
    def axes(self) -> tuple[int, ...]:
        source = self.operation.inputs[0].shape
        axes = _value(self.operation.inputs[1])
        if source.rank != 4 or axes is None:
            return ()
        return tuple(int(axis) % 4 for axis in np.ravel(axes))


def _value(tensor: Any, passing: tuple[str, ...] = ("Identity",)) -> Any:
    """Return the value of a constant behind operations that leave its numbers unchanged, None for anything else."""
    from tensorflow import make_ndarray

    operation = tensor.op
    while operation.type in passing:
        operation = operation.inputs[0].op
    return make_ndarray(operation.get_attr("value")) if operation.type == "Const" else None
