"""Describe a saved model: its input size, preprocessing and class names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparkcore.classes import ClassName, imagenet_classes
from sparkcore.config import PREPROCESSES, Fit
from sparkcore.errors import ConfigError, ModelError
from sparkcore.groups import GroupPath
from sparkcore.models.graph_file import GraphInput, describe_graph, graph_input
from sparkcore.models.keras_archive import ArchiveFacts, describe_archive
from sparkcore.models.labels import classes_from_json, groups_from_json, read_labels


@dataclass(frozen=True, slots=True)
class FileModel:
    """Hold the input size in pixels, the preprocessing and the names of the outputs.

    `fit` is the resize mode that the JSON file asks for. `graph` is set for a model that is no Keras model. `groups`
    are the model's own, by class id.
    """

    height: int
    width: int
    preprocess: str
    classes: tuple[ClassName, ...]
    fit: Fit | None = None
    graph: GraphInput | None = None
    groups: Mapping[str, GroupPath] = field(default_factory=dict)


def describe_graph_model(path: Path, labels: str | None, preprocess: str | None) -> FileModel:
    """Describe an ONNX, TFLite or OpenVINO file as `describe_file_model` does a Keras model.

    The JSON file may also hold `scale`, `mean`, `std` and `channels` in the place of `preprocess`, and `output`,
    `resize` and `crop_ratio`. Raises ModelError for anything missing or inconsistent.
    """
    if not path.is_file():
        raise ModelError(f"model: expected a model file, but there is none at {path}.")
    facts, sidecar = describe_graph(path), _read_sidecar(path.with_suffix(".json"))
    shape = (None, facts.height, facts.width, 3)
    height, width = _input_size(path, ArchiveFacts(shape, facts.outputs), sidecar)
    given = graph_input(path, facts.layout, preprocess, sidecar)
    name = preprocess or sidecar.get("preprocess") or "own"
    classes = _classes(path, facts.outputs, labels, sidecar)
    return FileModel(height, width, str(name), classes, _fit(path, sidecar), given, _groups(path, classes, sidecar))


def _fit(path: Path, sidecar: dict[str, Any]) -> Fit | None:
    if "resize" not in sidecar and "crop_ratio" not in sidecar:
        return None
    try:
        return Fit(sidecar.get("resize", "crop"), sidecar.get("crop_ratio", 1.0))
    except (ConfigError, TypeError) as error:
        raise ModelError(f"{error} It is in {path.with_suffix('.json')}.") from error


def describe_file_model(path: Path, labels: str | None, preprocess: str | None) -> FileModel:
    """Combine the model file, the JSON file of the same name beside it, and the caller's values, which win.

    The JSON file may hold `labels` (a list, a dict of index to label, or the name of a labels file beside it),
    `groups` (an object of label to path, as in "Animals > Dogs"), `preprocess`, and `height` and `width` for a model
    that takes any size. A model with a single output has two
    classes; the output is the score of the second. Raises ModelError for anything missing or inconsistent.
    """
    if not path.is_file():
        raise ModelError(f"model: expected a .keras or .h5 file, but there is none at {path}.")
    facts = describe_archive(path)
    sidecar = _read_sidecar(path.with_suffix(".json"))
    height, width = _input_size(path, facts, sidecar)
    name, classes = _preprocess(path, preprocess, sidecar), _classes(path, facts.outputs, labels, sidecar)
    return FileModel(height, width, name, classes, groups=_groups(path, classes, sidecar))


def _read_sidecar(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"model: {path} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ModelError(f'model: expected {{"labels": [...], "preprocess": ...}} in {path}, received {value!r:.60}.')
    return value


def _input_size(path: Path, facts: ArchiveFacts, sidecar: dict[str, Any]) -> tuple[int, int]:
    shape = facts.input_shape or (None, None, None, None)
    if len(shape) != 4 or shape[3] not in (3, None):
        raise ModelError(f"model: expected one input [None, height, width, 3], {path} takes {list(shape)}.")
    height, width = shape[1] or sidecar.get("height"), shape[2] or sidecar.get("width")
    if not (isinstance(height, int) and isinstance(width, int)):
        raise ModelError(
            f"model: {path} takes images of any size. Write the size it was trained with as "
            f'{{"height": ..., "width": ...}} into {path.with_suffix(".json")}.'
        )
    return height, width


def _preprocess(path: Path, given: str | None, sidecar: dict[str, Any]) -> str:
    preprocess = given or sidecar.get("preprocess")
    if preprocess in PREPROCESSES:
        return str(preprocess)
    raise ModelError(
        f"preprocess: expected one of {', '.join(PREPROCESSES)} for {path}, received {preprocess!r}. Choose one "
        f'or write {{"preprocess": ...}} into {path.with_suffix(".json")}: a wrong guess would give wrong scores.',
        shell="--preprocess chooses it.",
    )


def _classes(path: Path, outputs: int | None, labels: str | None, sidecar: dict[str, Any]) -> tuple[ClassName, ...]:
    wanted = 2 if outputs == 1 else outputs
    named = sidecar.get("labels")
    if labels is not None:
        classes = read_labels(labels)
    elif isinstance(named, str):
        classes = read_labels(_labels_beside(path, named))
    elif named is not None:
        classes = classes_from_json(named)
    elif wanted == 1000:
        classes = imagenet_classes()
    else:
        raise ModelError(
            f"labels: {path} has {wanted or 'an unknown number of'} classes without names. Give a file of class names "
            f'or write {{"labels": [...]}} into {path.with_suffix(".json")}.',
            shell="--labels FILE gives it.",
        )
    if wanted not in (None, len(classes)):
        raise ModelError(f"labels: the model in {path} has {wanted} classes, received {len(classes)} labels.")
    return classes


def _groups(path: Path, classes: tuple[ClassName, ...], sidecar: dict[str, Any]) -> dict[str, GroupPath]:
    try:
        return groups_from_json(sidecar.get("groups", {}), classes)
    except ModelError as error:
        raise ModelError(f"{error} They are in {path.with_suffix('.json')}.") from error


def _labels_beside(path: Path, named: str) -> Path:
    """Return the labels file that a sidecar names; links are followed, but not to another folder."""
    beside = path.parent / named
    is_name = named not in ("", ".", "..") and "\0" not in named and "/" not in named
    if not is_name or beside.resolve().parent != path.resolve().parent:
        raise ModelError(
            f"labels: expected the name of a file beside {path}, received {named!r} in {path.with_suffix('.json')}. "
            "Put the labels file there, or pass --labels FILE."
        )
    return beside
