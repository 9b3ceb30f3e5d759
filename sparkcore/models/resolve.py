"""Resolve a run's configuration to one exact model: architecture, weights, preprocessing, classes and their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sparkcore.classes import ClassName
from sparkcore.config import GRAPH_SUFFIXES, MODEL_SUFFIXES, Fit, RunConfig
from sparkcore.errors import ModelError, WeightsError
from sparkcore.groups import GroupPath, path_text
from sparkcore.models.download import was_offline
from sparkcore.models.graph_file import GraphInput, weights_beside
from sparkcore.models.labels import read_labels
from sparkcore.models.model_file import FileModel, describe_file_model, describe_graph_model
from sparkcore.models.registry import AUTO, BUILT_IN, REFERENCE, STRETCH, ModelSpec, find_spec
from sparkcore.models.weights import IMAGENET, Weights, cached_weights, find_weights
from sparkcore.progress import Watch


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """Hold everything that decides a model's scores.

    `kind` is "application" (a name of the registry), "file" (of Keras) or "graph" (an ONNX, TFLite or OpenVINO file,
    which `graph` describes). `fit` is the resize mode in effect. `weights_path` is None for random weights, which
    `seed` then decides. `is_published` is true for the very file that Keras publishes for the model. `digest` is the
    sha256, in hex, of the content of the weights, the architecture, its input and its classes: equal digests mean equal
    scores for equal pixels, wherever the files are. `source` says in words where the weights came from. `groups` are
    the model's own, by class id.
    """

    name: str
    height: int
    width: int
    fit: Fit
    preprocess: str
    classes: tuple[ClassName, ...]
    kind: str
    weights_path: Path | None
    seed: int | None
    is_published: bool
    digest: str
    source: str
    graph: GraphInput | None = None
    groups: Mapping[str, GroupPath] = field(default_factory=dict)


def resolve_model(config: RunConfig, watch: Watch | None = None) -> ResolvedModel:
    """Find the model that `config` asks for, without TensorFlow; missing weights are downloaded.

    `config.model` is a name of the registry, a path to a model file, or "auto": ResNet50, or the built-in
    model where ResNet50's weights are neither given nor to be had; `source` then says so. `config.weights` is None or
    "imagenet" (the published weights), a path, or "random" or "random:SEED" for benchmarks and tests.

    Raises ModelError for an unknown model or one that does not fit its labels, WeightsError where the weights
    cannot be had, ConfigError for a malformed seed, and anything that `watch.check` raises.
    """
    watch = watch or Watch()
    if config.model.endswith(MODEL_SUFFIXES):
        return _resolve_file(config)
    if config.model == AUTO:
        return _resolve_auto(config, watch)
    return _resolve_known(config, find_spec(config.model), watch)


def _resolve_auto(config: RunConfig, watch: Watch) -> ResolvedModel:
    reference, published = find_spec(REFERENCE), config.weights in (None, IMAGENET)
    if published and cached_weights(reference) is None and was_offline():
        problem = "no network was found within the last hour"
    else:
        try:
            return _resolve_known(config, reference, watch)
        except WeightsError as error:
            if not published:
                raise
            problem = str(error.__cause__ or error)
    built_in = _resolve_known(replace(config, labels=None, preprocess=None), find_spec(BUILT_IN), watch)
    source = (
        f"the built-in model, from {built_in.source}: {REFERENCE} has no weights on this machine, and {problem}. "
        f"Choose {REFERENCE} to see how to get them"
    )
    return replace(built_in, source=source)


def _resolve_file(config: RunConfig) -> ResolvedModel:
    if config.weights is not None:
        raise ModelError(
            f"weights: expected none with a model file, which brings its own, received {config.weights!r}. "
            "Remove it, or give the model's name instead of a file."
        )
    path = Path(config.model).expanduser().resolve()
    is_graph = path.suffix in GRAPH_SUFFIXES
    describe = describe_graph_model if is_graph else describe_file_model
    model = describe(path, config.labels, config.preprocess)
    weights = Weights(path, None, f"the model file {path}")
    names = (path.stem, "graph" if is_graph else "file")
    return _resolved(names, model, weights, _effective(config, model.fit or STRETCH))


def _resolve_known(config: RunConfig, spec: ModelSpec, watch: Watch) -> ResolvedModel:
    if config.preprocess not in (None, spec.preprocess):
        raise ModelError(
            f"preprocess: {spec.name} is made for {spec.preprocess!r}, received {config.preprocess!r}. Remove it, or "
            "save your own variant as a .keras file and give its path as the model."
        )
    classes = spec.classes if config.labels is None else read_labels(config.labels)
    if len(classes) != len(spec.classes):
        raise ModelError(f"labels: {spec.name} has {len(spec.classes)} classes, received {len(classes)} labels.")
    model = FileModel(spec.height, spec.width, spec.preprocess, classes)
    weights = find_weights(spec, config.weights, watch)
    return _resolved((spec.name, "application"), model, weights, _effective(config, spec.fit))


def _effective(config: RunConfig, own: Fit) -> Fit:
    return own if config.resize == "auto" else Fit(config.resize)


def _resolved(names: tuple[str, str], model: FileModel, weights: Weights, fit: Fit) -> ResolvedModel:
    name, kind = names
    identity: dict[str, object] = {
        "architecture": name if kind == "application" else kind,
        "input": [model.height, model.width],
        "preprocess": model.preprocess,
        "classes": [list(names) for names in model.classes],
        "weights": weights.digest(),
    }
    if model.groups:
        identity["groups"] = {class_id: path_text(path) for class_id, path in model.groups.items()}
    if model.graph is not None and weights.path is not None:
        beside = weights_beside(weights.path)
        identity |= {"graph": asdict(model.graph), "beside": beside and Weights(beside, None, "").digest()}
    return ResolvedModel(
        name=name,
        height=model.height,
        width=model.width,
        fit=fit,
        preprocess=model.preprocess,
        classes=model.classes,
        kind=kind,
        weights_path=weights.path,
        seed=weights.seed,
        is_published=weights.is_published,
        digest=hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest(),
        source=weights.source,
        graph=model.graph,
        groups=model.groups,
    )
