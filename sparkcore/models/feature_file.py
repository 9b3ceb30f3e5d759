"""What is stored beside a frozen graph: the shape of its feature map, and the dense layer behind the pooling of that.

A TensorFlow graph has it in a file of the same name, a packed graph of OpenVINO has it inside.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sparkcore.models.feature_map import Head
from sparkcore.models.frozen import FeatureOutput
from sparkcore.models.runtimes.openvino import FEATURES_ENTRY, PACKED_SUFFIX

SUFFIX = ".npz"


class GraphFeatures(NamedTuple):
    """Hold height, width and channels of a feature map, and the layer behind its pooling, None where more follow."""

    shape: tuple[int, int, int]
    head: Head | None

    def to_bytes(self) -> bytes:
        """Return what is stored."""
        layer = {} if self.head is None else self.head._asdict()
        content = io.BytesIO()
        np.savez(content, shape=np.array(self.shape), **layer)
        return content.getvalue()


def features_beside(graph: Path) -> Path | None:
    """Return the file with the features of a graph, None for one that has none, or has them inside."""
    beside = graph.with_suffix(SUFFIX)
    return beside if graph.suffix != PACKED_SUFFIX and beside.is_file() else None


def stored_features(graph: Path) -> bytes | None:
    """Return what is stored with a graph, None for one without a feature map."""
    if graph.suffix != PACKED_SUFFIX:
        beside = features_beside(graph)
        return None if beside is None else beside.read_bytes()
    with zipfile.ZipFile(graph) as archive:
        return archive.read(FEATURES_ENTRY) if FEATURES_ENTRY in archive.namelist() else None


def feature_output(graph: Path) -> FeatureOutput | None:
    """Describe the feature map of a graph."""
    arrays = _arrays(graph)
    if arrays is None:
        return None
    height, width, channels = (int(side) for side in arrays["shape"])
    return FeatureOutput(height, width, channels, has_head="weights" in arrays)


def read_head(graph: Path) -> Head | None:
    """Return the dense layer behind the pooling of a graph's feature map."""
    arrays = _arrays(graph)
    return Head(arrays["weights"], arrays["bias"]) if arrays is not None and "weights" in arrays else None


def _arrays(graph: Path) -> Any:
    content = stored_features(graph)
    return None if content is None else np.load(io.BytesIO(content), allow_pickle=False)
