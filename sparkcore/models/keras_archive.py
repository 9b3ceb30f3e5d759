"""Read the architecture of a saved Keras model without TensorFlow."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkcore.errors import ModelError

NESTED = ("Functional", "Model", "Sequential")
# Layers after the last Dense or convolution that keep the number of channels.
TRANSPARENT = ("Activation", "Softmax", "Dropout", "Flatten", "Reshape", "GlobalAveragePooling2D", "GlobalMaxPooling2D")

_MAX_CONFIG_BYTES = 64 << 20  # a small file can unpack to more than the memory holds


@dataclass(frozen=True, slots=True)
class ArchiveFacts:
    """Hold the input shape (batch first, None for any size) and the number of outputs, None where unknown."""

    input_shape: tuple[int | None, ...] | None
    outputs: int | None


def describe_archive(path: Path) -> ArchiveFacts:
    """Read the architecture in a `.keras` or `.h5` file; raises ModelError if there is none."""
    config = _read_config(path)
    return ArchiveFacts(_input_shape(config), _output_count(config))


def _read_config(path: Path) -> dict[str, Any]:
    try:
        text = _read_zip_config(path) if path.suffix == ".keras" else _read_hdf5_config(path)
        config = json.loads(text)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"model: expected a whole model saved by Keras at {path}, but no architecture can be read from it "
            f"({error}). Save it with model.save(). A file of weights alone needs the name of its model.",
            shell="--weights PATH gives weights, --model the name.",
        ) from error
    if not isinstance(config, dict) or "config" not in config:
        raise ModelError(f"model: expected the configuration of a Keras model in {path}, received something else.")
    return config


def _read_zip_config(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("config.json").file_size > _MAX_CONFIG_BYTES:
            raise ValueError(f"its config.json has more than {_MAX_CONFIG_BYTES:,} bytes")
        return archive.read("config.json").decode()


def _read_hdf5_config(path: Path) -> str:
    import h5py

    with h5py.File(path, "r") as file:
        text = file.attrs["model_config"]
    return text.decode() if isinstance(text, bytes) else str(text)


def _layers(config: dict[str, Any]) -> list[dict[str, Any]]:
    inner = config["config"]
    found = inner.get("layers", []) if isinstance(inner, dict) else inner  # very old Sequential: the list alone
    return [layer for layer in found if isinstance(layer, dict)]


def _input_shape(config: dict[str, Any]) -> tuple[int | None, ...] | None:
    for layer in _layers(config):
        inner = layer.get("config", {})
        shape = inner.get("batch_shape") or inner.get("batch_input_shape")
        if shape:
            return tuple(shape)
        if layer.get("class_name") in NESTED:
            return _input_shape(layer)
    shape = (config.get("build_config") or {}).get("input_shape")
    return tuple(shape) if shape and all(not isinstance(side, list) for side in shape) else None


def _output_count(config: dict[str, Any]) -> int | None:
    by_name = {_name(layer): layer for layer in _layers(config)}
    order = list(by_name)
    name = _first_name(config["config"].get("output_layers")) if isinstance(config["config"], dict) else None
    name = name or (order[-1] if order else None)
    while name in by_name:
        layer = by_name[name]
        if layer.get("class_name") in NESTED:
            return _output_count(layer)
        inner = layer.get("config", {})
        count = inner.get("units", inner.get("filters"))
        if isinstance(count, int):
            return count
        if layer.get("class_name") not in TRANSPARENT:
            return None
        before = order[order.index(name) - 1] if order.index(name) else None
        name = _first_name(layer.get("inbound_nodes")) or before
    return None


def _name(layer: dict[str, Any]) -> str:
    return str(layer.get("name") or layer.get("config", {}).get("name"))


def _first_name(node: Any) -> str | None:
    """Find the first layer reference, `[name, node, tensor]`, in Keras 2's nested lists or Keras 3's dicts."""
    if isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
        return node[0]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        name = _first_name(child)
        if name:
            return name
    return None
