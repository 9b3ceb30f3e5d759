"""Fold constants and batch normalizations of a frozen graph; scores change by rounding only.

Keras computes a batch normalization as x * scale + offset, and scale and offset from four weights. Everything that
depends on weights alone is computed once, and scale and offset move into the preceding convolution.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
KERNEL_OPS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
OFFSET_OPS = ("BiasAdd", "AddV2", "Add")
MAX_FOLDED_BYTES = 64 << 20  # larger results would bloat the file


def fold_constants(graph_def: Any) -> Any:
    """Replace operations that depend on constants alone with their values."""
    import tensorflow as tf

    constant: set[str] = set()
    for node in graph_def.node:  # a GraphDef made by TensorFlow lists inputs before their users
        if node.op == "Const" or (node.op not in ("Placeholder", "NoOp") and _all_in(_data_inputs(node), constant)):
            constant.add(node.name)
    needed = {_base(name) for node in graph_def.node if node.name not in constant for name in _data_inputs(node)}
    wanted = [node.name for node in graph_def.node if node.name in needed & constant and node.op != "Const"]
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            values = session.run([f"{name}:0" for name in wanted])
    folded = {
        name: value for name, value in zip(wanted, values, strict=True) if np.asarray(value).nbytes <= MAX_FOLDED_BYTES
    }
    return _pruned(graph_def, {name: _const_node(name, np.asarray(value)) for name, value in folded.items()})


def fold_batch_norms(graph_def: Any, output: str) -> Any:
    """Move multiplications and additions of constants after a convolution or dense layer into its weights.

    `output` names the tensor whose value must not change. Expects the result of `fold_constants`.
    """
    graph = _Graph(graph_def, output)
    replaced: dict[str, Any] = {}
    for node in graph_def.node:
        if node.op in KERNEL_OPS and (chain := graph.affine_chain(node)) is not None:
            replaced.update(_folded_nodes(graph, chain))
    return _pruned(graph_def, replaced, keep=_base(output))


@dataclass(frozen=True)
class _Chain:
    """Hold a kernel operation, the last affine operation after it, and their combination x * scale + offset."""

    kernel: Any
    last: Any
    scale: Array
    offset: Array


class _Graph:
    def __init__(self, graph_def: Any, output: str) -> None:
        self.nodes = {node.name: node for node in graph_def.node}
        self._uses = Counter(_base(name) for node in graph_def.node for name in _data_inputs(node))
        self._uses[_base(output)] += 1
        self._users = {_base(name): node for node in graph_def.node for name in _data_inputs(node)}

    def value(self, name: str) -> Array | None:
        import tensorflow as tf

        node = self.nodes[_base(name)]
        while node.op == "Identity":
            node = self.nodes[_base(node.input[0])]
        return np.asarray(tf.make_ndarray(node.attr["value"].tensor)) if node.op == "Const" else None

    def affine_chain(self, kernel: Any) -> _Chain | None:
        """Follow the single user of `kernel` while it multiplies or adds one constant per channel."""
        weights = self.value(kernel.input[1])
        if weights is None or weights.dtype != np.float32 or not _is_plain(kernel):
            return None
        channels = weights.shape[2] * weights.shape[3] if kernel.op == "DepthwiseConv2dNative" else weights.shape[-1]
        rank = 2 if kernel.op == "MatMul" else 4  # a constant of more dimensions would broadcast the result
        scale, offset = np.ones(channels), np.zeros(channels)
        last, has_scale = kernel, False
        while self._uses[last.name] == 1:
            user = self._users[last.name]
            constant = self._channel_constant(user, last.name, (rank, channels))
            if constant is None:
                break
            if user.op == "Mul":
                scale, offset, has_scale = scale * constant, offset * constant, True
            else:
                offset = offset + constant
            last = user
        return _Chain(kernel, last, scale, offset) if has_scale else None

    def _channel_constant(self, user: Any, name: str, shape: tuple[int, int]) -> Array | None:
        rank, channels = shape
        if user.op not in ("Mul", *OFFSET_OPS):
            return None
        others = [other for other in user.input if _base(other) != name]
        value = self.value(others[0]) if len(others) == 1 else None
        if value is None or value.size != channels or value.shape[-1:] != (channels,) or value.ndim > rank:
            return None
        return value.reshape(channels).astype(np.float64)


def _is_plain(kernel: Any) -> bool:
    if kernel.op == "MatMul":
        return not (kernel.attr["transpose_a"].b or kernel.attr["transpose_b"].b)
    return kernel.attr["data_format"].s in (b"", b"NHWC")


def _folded_nodes(graph: _Graph, chain: _Chain) -> dict[str, Any]:
    """Return new nodes by name: a scaled kernel, its operation, and a bias that replaces the last operation."""
    from tensorflow.core.framework.node_def_pb2 import NodeDef

    weights = graph.value(chain.kernel.input[1])
    assert weights is not None  # checked by affine_chain
    scaled = weights * chain.scale.reshape(weights.shape[2:] if chain.kernel.op == "DepthwiseConv2dNative" else -1)
    names = {part: f"{chain.kernel.name}/folded_{part}" for part in ("kernel", "product", "bias")}
    product, bias = NodeDef(), NodeDef()
    product.CopyFrom(chain.kernel)
    product.name = names["product"]
    product.input[1] = names["kernel"]
    bias.name, bias.op = chain.last.name, "BiasAdd"
    bias.input.extend([names["product"], names["bias"]])
    bias.attr["T"].CopyFrom(chain.kernel.attr["T"])
    return {
        names["kernel"]: _const_node(names["kernel"], scaled.astype(np.float32)),
        names["product"]: product,
        names["bias"]: _const_node(names["bias"], chain.offset.astype(np.float32)),
        chain.last.name: bias,
    }


def _const_node(name: str, value: Array) -> Any:
    import tensorflow as tf
    from tensorflow.core.framework.node_def_pb2 import NodeDef

    node = NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return node


def _pruned(graph_def: Any, replaced: dict[str, Any], keep: str = "scores") -> Any:
    """Return the graph with `replaced` nodes, without those that `keep` does not need, inputs before their users.

    Control inputs ("^name") are dropped: they order reads of variables, which are constants here, and would keep the
    folded weights in the file.
    """
    from tensorflow.core.framework.graph_pb2 import GraphDef

    nodes = {**{node.name: node for node in graph_def.node}, **replaced}
    result, done, stack = GraphDef(versions=graph_def.versions), set(), [keep]
    while stack:
        name = stack[-1]
        sources = _data_inputs(nodes[name])
        missing = [_base(source) for source in sources if _base(source) not in done]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        if name not in done:
            done.add(name)
            result.node.append(nodes[name])
            del result.node[-1].input[:]
            result.node[-1].input.extend(sources)
    if graph_def.library.function:
        result.library.CopyFrom(graph_def.library)
    return result


def _data_inputs(node: Any) -> list[str]:
    return [name for name in node.input if not name.startswith("^")]


def _base(name: str) -> str:
    return name.split(":", maxsplit=1)[0]


def _all_in(inputs: list[str], names: set[str]) -> bool:
    return bool(inputs) and all(_base(name) in names for name in inputs)
