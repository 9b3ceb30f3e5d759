"""A frozen model, as the driver hands it to workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sparkcore.config import Fit


@dataclass(frozen=True, slots=True)
class FrozenModel:
    """Describe a frozen graph, its input and its output.

    Input: uint8 RGB [n, height, width, 3], made by `fit`. Output: float32 probabilities [n, len(class_ids)].
    `runtime` computes, in `precision`; the graph is the same for all. `digest` is that of the ResolvedModel.
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
