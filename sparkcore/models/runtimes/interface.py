"""What a runtime is: it opens a frozen graph, and computes scores of small batches."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from sparkcore.models.frozen import FrozenModel

Batch = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]


class Outputs(NamedTuple):
    """Hold the probabilities of a batch [n, classes], and its feature maps [n, height, width, channels] if opened."""

    scores: Scores
    features: npt.NDArray[np.float32] | None


class OpenGraph(Protocol):
    """A graph that was opened for a number of threads; safe to call from several threads."""

    def __call__(self, batch: Batch) -> Outputs:
        """Return probabilities and feature maps of uint8 RGB images [n, height, width, 3].

        The caller checks the shape: a runtime may read beyond the memory of another one. Raises
        ModelError for a graph that cannot compute them, RunFailedError where memory runs out.
        """


class Runtime(Protocol):
    """A library that computes; a module of this package."""

    def open_graph(self, frozen: FrozenModel, threads: int | None) -> OpenGraph:
        """Open a frozen graph for a number of threads (None: all cores), without features where `frozen` has none.

        Raises ModelError for a file that is missing or damaged, EngineError where this machine cannot compute in the
        model's precision.
        """

    def computes(self, precision: str) -> bool:
        """Tell whether this machine computes in a precision."""
