"""What a model tells of a batch of images: scores, the best classes, embeddings and activation maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkcore.models.feature_map import Head
from sparkcore.models.features import MAPS, class_activation_maps, embeddings, map_bytes
from sparkcore.models.runtimes.interface import Outputs
from sparkcore.models.top_k import TopK, top_k


@dataclass(frozen=True, slots=True)
class Predicted:
    """Hold what a batch of n images gets from the model.

    `scores` is float32 [n, classes], `embeddings` float16 [n, length], `activations` uint8 [n, k, height, width]; the
    last two are None where the model has none, and where none are asked for.
    """

    scores: npt.NDArray[np.float32]
    best: TopK
    embeddings: npt.NDArray[np.float16] | None = None
    activations: npt.NDArray[np.uint8] | None = None


def predicted(outputs: Outputs, head: Head | None, k: int) -> Predicted:
    """Return what rows are made of, with activation maps of the first MAPS of the `k` best classes."""
    best = top_k(outputs.scores, k)
    if outputs.features is None:
        return Predicted(outputs.scores, best)
    activations = None
    if head is not None:
        activations = map_bytes(class_activation_maps(outputs.features, head, best.indices[:, :MAPS]))
    return Predicted(outputs.scores, best, embeddings(outputs.features), activations)
