"""What the cores could do at best: the multiply-adds that a model needs, and those that the cores do in a second."""

from __future__ import annotations

import time
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from sparkcore.models.runtimes.openvino import read_graph

_SIDE = 3072
_REPETITIONS = 5


def multiply_adds(graph: Path) -> int:
    """Return the multiply-adds of convolutions and dense layers for one image."""
    model = read_graph(graph)
    shape = model.inputs[0].get_partial_shape()
    model.reshape([1, *(side.get_length() for side in list(shape)[1:])])
    return sum(_of_node(node) for node in model.get_ops())


def _of_node(node: Any) -> int:
    kind = node.get_type_name()
    if kind not in ("Convolution", "GroupConvolution", "MatMul"):
        return 0
    outputs, weights = (list(port.get_shape()) for port in (node.output(0), node.input(1)))
    if kind == "MatMul":
        return prod(outputs) * list(node.input(0).get_shape())[-1]
    return prod(outputs) * prod(weights[2 if kind == "GroupConvolution" else 1 :])


def peak() -> float:
    """Return the float32 multiply-adds of all cores in a second, as a product of large matrices reaches them."""
    rng = np.random.default_rng(0)
    left, right = (rng.random((_SIDE, _SIDE), np.float32) for _ in range(2))
    spent_s = []
    for _ in range(_REPETITIONS):
        started = time.perf_counter()
        left @ right
        spent_s.append(time.perf_counter() - started)
    return _SIDE**3 / min(spent_s)
