"""Operations of an OpenVINO graph, as the search for a feature map sees them."""

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
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Convert", "Transpose"), PASSING),
    **dict.fromkeys(("Softmax", "Sigmoid"), ACTIVATION),
    "Add": ADDITION,
    "Multiply": SCALING,
    **dict.fromkeys(("MatMul", "Convolution"), DENSE),
    **dict.fromkeys(("ReduceMean", "AvgPool"), MEAN),
    "ReduceMax": SUMMARY,
}
_FIRST_INPUT_ONLY = (*_KINDS.keys() - {"Add", "Multiply"},)


@dataclass(frozen=True, slots=True)
class OpenVinoNode:
    """Wrap the first output of an operation."""

    operation: Any

    @property
    def name(self) -> str:
        return str(self.operation.get_friendly_name())

    @property
    def type(self) -> str:
        return str(self.operation.get_type_name())

    @property
    def kind(self) -> int:
        kind = _KINDS.get(self.type, OTHER)
        return OTHER if kind == DENSE and self.constant is None else kind

    @property
    def inputs(self) -> list[OpenVinoNode]:
        values = self.operation.input_values()
        count = 1 if self.type in _FIRST_INPUT_ONLY else len(values)
        return [OpenVinoNode(value.get_node()) for value in values[:count]]

    @property
    def shape(self) -> tuple[int | None, ...] | None:
        return _shape(self.operation.output(0))

    @property
    def constant(self) -> Array | None:
        if self.type == "MatMul":
            weights = _value(self.operation.input_value(1))
            is_turned = self.operation.get_attributes()["transpose_b"]
            return weights.T if weights is not None and is_turned else weights
        if self.type == "Convolution":
            kernel = _value(self.operation.input_value(1))
            return kernel[:, :, 0, 0].T if kernel is not None and kernel.shape[2:] == (1, 1) else None
        return _value(self.operation.output(0))

    @property
    def axes(self) -> tuple[int, ...]:
        shape = _shape(self.operation.input_value(0))
        if shape is None or len(shape) != 4:
            return ()
        if self.type == "AvgPool":
            return (2, 3) if tuple(self.operation.get_attributes()["kernel"]) == shape[2:] else ()
        axes = _value(self.operation.input_value(1))
        return () if axes is None else tuple(int(axis) % 4 for axis in np.ravel(axes))


def _shape(port: Any) -> tuple[int | None, ...] | None:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return None
    return tuple(None if side.is_dynamic else side.get_length() for side in shape)


def _value(port: Any) -> Any:
    """Return the value of a constant, also one that is stored in another type; None for anything else."""
    node = port.get_node()
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return np.asarray(node.data) if node.get_type_name() == "Constant" else None
