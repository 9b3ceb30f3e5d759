"""Small classifiers as ONNX files, laid out as PyTorch's export does, and their scores by ONNX's own evaluator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SIDE = 12
CLASSES = 4


def write_onnx(path: Path, *, batch: str | int = "batch", softmax: bool = False, units: int = CLASSES) -> Path:
    """Write a convolution, a pooling and a dense layer; input [batch, 3, SIDE, SIDE], output [batch, units]."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = {
        "kernel": rng.normal(0, 0.5, (8, 3, 3, 3)), "bias": rng.normal(0, 0.5, 8),
        "dense": rng.normal(0, 1, (8, units)), "offset": rng.normal(0, 0.5, units),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["image", "kernel", "bias"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("GlobalAveragePool", ["b"], ["c"]),
        helper.make_node("Flatten", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "dense", "offset"], ["e" if softmax else "scores"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["e"], ["scores"], axis=1))
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, units])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, path)
    return path


def onnx_scores(path: Path, inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the output for float32 inputs [n, 3, SIDE, SIDE]."""
    from onnx.reference import ReferenceEvaluator

    return np.asarray(ReferenceEvaluator(str(path)).run(None, {"image": inputs.astype(np.float32)})[0])


def softmax(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the softmax of each row."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
