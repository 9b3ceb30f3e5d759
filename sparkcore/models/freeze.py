"""Freeze a resolved model into one file that a worker can load without Keras."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparkcore.errors import ConfigError
from sparkcore.models.feature_file import SUFFIX, GraphFeatures, feature_output
from sparkcore.models.framework_errors import framework_errors
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.graph import frozen_graph
from sparkcore.models.graph_conversion import write_graph
from sparkcore.models.keras_model import build_keras_model
from sparkcore.models.resolve import ResolvedModel
from sparkcore.models.runtimes.choice import Computation
from sparkcore.models.runtimes.openvino import PACKED_SUFFIX
from sparkcore.storage.local import write_bytes, write_json

_PRECISIONS = ("float32", "bfloat16")  # of one graph; int8 has a graph of its own
GRAPH_VERSION = 3  # increases when the graph of the same model changes


def freeze(model: ResolvedModel, precision: str, cache: Path, runtime: str = "openvino") -> FrozenModel:
    """Return the frozen graph of `model`, written to the folder `cache` unless it is already there.

    Only the first call for a model imports TensorFlow; it can run in a process of its own. Raises ModelError or
    WeightsError if Keras cannot build the model, RunFailedError if the machine runs out of memory.
    """
    if precision not in _PRECISIONS:
        raise ConfigError.unexpected("precision", "one of " + ", ".join(_PRECISIONS), precision)
    path = _path(model, cache)
    signature = {
        "graph_version": GRAPH_VERSION,
        "name": model.name,
        "preprocess": model.preprocess,
        "input": {"name": "images", "dtype": "uint8", "shape": [None, model.height, model.width, 3]},
        "output": {"name": "probabilities", "dtype": "float32", "shape": [None, len(model.classes)]},
    }
    if _is_frozen(path):
        with suppress(OSError):  # a cache that this user may only read
            path.with_suffix(".json").touch()  # used: `gc` removes graphs that nobody has used for long
    else:
        _write(model, path)
        write_json(path.with_suffix(".json"), signature)
    return describe_frozen(model, path, model.digest, Computation(runtime, precision))


def describe_frozen(model: ResolvedModel, path: Path, digest: str, computation: Computation) -> FrozenModel:
    """Describe a graph of `model` that has its own `digest`, and what computes it."""
    return FrozenModel(
        path=path,
        digest=digest,
        precision=computation.precision,
        height=model.height,
        width=model.width,
        fit=model.fit,
        class_ids=tuple(name.class_id for name in model.classes),
        labels=tuple(name.label for name in model.classes),
        runtime=computation.runtime,
        features=feature_output(path),
    )


def is_frozen(model: ResolvedModel, cache: Path) -> bool:
    """Tell whether the graph is in the cache, so that `freeze` needs no TensorFlow."""
    return _is_frozen(_path(model, cache))


def _path(model: ResolvedModel, cache: Path) -> Path:
    return Path(cache) / f"{model.digest}{'.pb' if model.graph is None else PACKED_SUFFIX}"


def _write(model: ResolvedModel, path: Path) -> None:
    if model.graph is None or model.weights_path is None:
        content, features = _graph_bytes(model)
        if features is not None:
            write_bytes(path.with_suffix(SUFFIX), features.to_bytes())
        write_bytes(path, content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_graph(model.weights_path, (model.height, model.width), model.graph, path)


def _is_frozen(path: Path) -> bool:
    """Tell whether the graph exists in this version; its signature is written last."""
    try:
        signature: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return path.is_file() and signature.get("graph_version") == GRAPH_VERSION


def _graph_bytes(model: ResolvedModel) -> tuple[bytes, GraphFeatures | None]:
    keras_model = build_keras_model(model)
    with framework_errors(f"model: {model.name} cannot be turned into a graph"):
        graph, features = frozen_graph(keras_model, (model.height, model.width), model.preprocess, len(model.classes))
    return bytes(graph.SerializeToString()), features
