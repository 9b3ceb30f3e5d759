"""Find the last feature map of a classifier in its graph, and the dense layer behind the pooling of that map.

The search knows kinds of operations only; `tensorflow_nodes` and `openvino_nodes` tell it what a library's mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

# Kinds of operations: what leaves values unchanged, turns logits into scores, adds or multiplies by a constant, is a
# dense layer (or a convolution of one pixel), takes the mean or another summary of all places of a map; all others are
# OTHER.
PASSING, ACTIVATION, ADDITION, SCALING, DENSE, MEAN, SUMMARY, OTHER = range(8)


class Node(Protocol):
    """An operation of a graph."""

    @property
    def name(self) -> str:
        """Return what tells operations of a graph apart."""

    @property
    def kind(self) -> int:
        """Return one of the kinds above."""

    @property
    def inputs(self) -> Sequence[Node]:
        """Return the operations whose values this one takes, without shapes."""

    @property
    def shape(self) -> tuple[int | None, ...] | None:
        """Return the shape of the output, None for a side of any length and for an unknown rank."""

    @property
    def constant(self) -> Array | None:
        """Return the value of a constant; of a dense layer, its weights [channels, outputs]."""

    @property
    def axes(self) -> tuple[int, ...]:
        """Return the axes that a summary takes together."""


class Head(NamedTuple):
    """Hold the dense layer behind a mean: logits = mean @ weights.T + bias.

    `weights` is float32 [classes, channels], `bias` float32 [classes].
    """

    weights: Array
    bias: Array


@dataclass(frozen=True, slots=True)
class FoundMap:
    """Name the operation that gives a feature map of rank 4, its axes of height and width, and the layer behind it.

    `head` is None where more than one dense layer follows, or another summary than the mean.
    """

    node: Any
    axes: tuple[int, int]
    head: Head | None

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Return the axes in the order batch, height, width, channels."""
        return (0, *self.axes, 6 - sum(self.axes))


def origin_of_values(node: Node) -> Any:
    """Return the operation whose values reach a node unchanged."""
    while node.kind == PASSING and node.inputs:
        node = node.inputs[0]
    return node


def find_feature_map(scores: Node) -> FoundMap | None:
    """Return the last feature map before the scores, None for a model that does not summarize one map."""
    summary = _summary(scores)
    if summary is None:
        return None
    first, second = sorted(summary.axes)
    head = _head(scores, summary.name) if summary.kind == MEAN else None
    return FoundMap(summary.inputs[0], (first, second), head)


def _summary(scores: Node) -> Node | None:
    """Return the one operation that summarizes a map, seen from the scores."""
    waiting, seen, found = [scores], set(), []
    while waiting:
        node = waiting.pop()
        if node.name in seen:
            continue
        seen.add(node.name)
        if node.kind in (MEAN, SUMMARY) and len(node.axes) == 2:
            found.append(node)
        elif _has_places(node.shape):
            return None  # the scores depend on a map that is not summarized
        else:
            waiting += node.inputs
    return found[0] if len(found) == 1 else None


def _has_places(shape: tuple[int | None, ...] | None) -> bool:
    return shape is not None and len(shape) == 4 and sum(side is not None and side > 1 for side in shape[1:]) > 1


def _head(scores: Node, end: str) -> Head | None:
    """Return the dense layer between the operation named `end` and the scores, None unless it is the only one."""
    node, weights = scores, None
    scale, bias = np.ones(1, np.float32), np.zeros(1, np.float32)
    while node.name != end:
        if node.kind in (ADDITION, SCALING) and weights is None:
            constants = [one.constant for one in node.inputs if one.kind != DENSE and one.constant is not None]
            if len(constants) != 1:
                return None
            if node.kind == ADDITION:
                bias = bias + scale * constants[0].ravel()
            else:
                scale = scale * constants[0].ravel()
            node = next(one for one in node.inputs if one.kind == DENSE or one.constant is None)
        elif node.kind == DENSE and weights is None and node.constant is not None:
            weights, node = node.constant * scale, node.inputs[0]
        elif node.kind == PASSING or (node.kind == ACTIVATION and weights is None):
            node = node.inputs[0]
        else:
            return None
    if weights is None:
        return None
    if weights.shape[1] == 1:  # the logit of the second of two classes
        weights, bias = np.hstack([-weights, weights]), np.hstack([-bias, bias])
    return Head(np.ascontiguousarray(weights.T, np.float32), np.broadcast_to(bias, weights.shape[1]).astype(np.float32))
