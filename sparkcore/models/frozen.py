"""A frozen model, as the driver hands it to workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sparkcore.config import Fit


@dataclass(frozen=True, slots=True)
class FeatureOutput:
    """Describe the second output of a frozen graph, the last feature map: float32 [n, height, width, channels].

    `has_head` tells whether one dense layer follows its pooling.
    """

    height: int
    width: int
    channels: int
    has_head: bool


@dataclass(frozen=True, slots=True)
class FrozenModel:
    """Describe a frozen graph, its input and its output.

    Input: uint8 RGB [n, height, width, 3], made by `fit`. Output: float32 probabilities [n, len(class_ids)]. `features`
    is None for a model without a feature map, and where none is asked for. `runtime` computes, in `precision`; the
    graph is the same for all. `digest` is that of the ResolvedModel.
    """

    path: Path
    digest: str
    precision: str
    height: int
    width: int
    fit: Fit
    class_ids: tuple[str, ...]
    labels: tuple[str, ...]
    runtime: str = "openvino"
    features: FeatureOutput | None = None
