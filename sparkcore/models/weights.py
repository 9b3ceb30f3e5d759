"""From a run's configuration to one exact model: architecture, weights, preprocessing, classes and their digest."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from sparkcore.config import RunConfig
from sparkcore.errors import ConfigError, ModelError, WeightsError
from sparkcore.models.archive import describe_archive
from sparkcore.models.download import download, file_checksum
from sparkcore.models.labels import ClassName, read_labels
from sparkcore.models.model_file import FileModel, describe_file_model
from sparkcore.models.registry import ModelSpec, find_spec

MODEL_SUFFIXES = (".keras", ".h5")
RANDOM = "random"
AUTO = "auto"
REFERENCE = "resnet50"
BUILT_IN = "tinynet"


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """Hold all that decides a model's scores.

    `kind` is "application" (a name of the registry) or "file". `weights_path` is None for random weights, which
    `seed` then decides. `is_published` tells that the file is the one that Keras publishes for this model. `digest`
    is the sha256, in hex, of the content of the weights, the architecture, its input and its classes: equal digests
    mean equal scores, wherever the files lie. `source` says in words where the weights came from.
    """

    name: str
    height: int
    width: int
    preprocess: str
    classes: tuple[ClassName, ...]
    kind: str
    weights_path: Path | None
    seed: int | None
    is_published: bool
    digest: str
    source: str


@dataclass(frozen=True, slots=True)
class _Weights:
    path: Path | None
    seed: int | None
    source: str


def resolve_model(config: RunConfig) -> ResolvedModel:
    """Find the model that `config` asks for, within seconds and without TensorFlow.

    `config.model` is a name of the registry, a path to a `.keras` or `.h5` file, or "auto": ResNet50, or the built-in
    model where ResNet50's weights are neither given nor to be had; `source` then says so. `config.weights` is None or
    "imagenet" (the Keras cache, else Keras's server), a path, or "random" or "random:SEED": random weights serve
    benchmarks and tests, their scores mean nothing.

    Raises ModelError for an unknown model or one that does not fit its labels, WeightsError where the weights
    cannot be had, ConfigError for a malformed seed.
    """
    if config.model.endswith(MODEL_SUFFIXES):
        return _resolve_file(config)
    if config.model == AUTO:
        return _resolve_auto(config)
    return _resolve_application(config, find_spec(config.model))


def _resolve_auto(config: RunConfig) -> ResolvedModel:
    reference = find_spec(REFERENCE)
    try:
        return _resolve_application(config, reference)
    except WeightsError:
        if config.weights not in (None, "imagenet"):
            raise
    built_in = _resolve_application(replace(config, labels=None, preprocess=None, weights=None), find_spec(BUILT_IN))
    reason = f"taken because {REFERENCE} has no weights on this machine and they could not be downloaded"
    return replace(built_in, source=f"{built_in.source}; {reason}. {_ways(reference)}")


def _resolve_file(config: RunConfig) -> ResolvedModel:
    if config.weights is not None:
        raise ModelError(
            f"weights: expected none with a model file, which brings its own, received {config.weights!r}. "
            "Remove it, or give the model's name instead of a file."
        )
    path = Path(config.model).expanduser().resolve()
    model = describe_file_model(path, config.labels, config.preprocess)
    return _resolved(path.stem, "file", model, _Weights(path, None, f"the model file {path}"))


def _resolve_application(config: RunConfig, spec: ModelSpec) -> ResolvedModel:
    if config.preprocess not in (None, spec.preprocess):
        raise ModelError(
            f"preprocess: {spec.name} is made for {spec.preprocess!r}, received {config.preprocess!r}. Remove it, or "
            "save your own variant as a .keras file and give its path as the model."
        )
    classes = spec.classes if config.labels is None else read_labels(config.labels)
    if len(classes) != len(spec.classes):
        raise ModelError(f"labels: {spec.name} has {len(spec.classes)} classes, received {len(classes)} labels.")
    model = FileModel(spec.height, spec.width, spec.preprocess, classes)
    return _resolved(spec.name, "application", model, _find_weights(config, spec))


def _resolved(name: str, kind: str, model: FileModel, weights: _Weights) -> ResolvedModel:
    if weights.path is None:
        content = f"{RANDOM}:{weights.seed}"
    else:
        stat = weights.path.stat()
        content = _content_digest(weights.path, stat.st_size, stat.st_mtime_ns)
    identity = {
        "architecture": name if kind == "application" else kind,
        "input": [model.height, model.width],
        "preprocess": model.preprocess,
        "classes": [list(names) for names in model.classes],
        "weights": content,
    }
    return ResolvedModel(
        name=name,
        height=model.height,
        width=model.width,
        preprocess=model.preprocess,
        classes=model.classes,
        kind=kind,
        weights_path=weights.path,
        seed=weights.seed,
        is_published=kind == "application"
        and weights.path is not None
        and _is_published(find_spec(name), weights.path),
        digest=hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest(),
        source=weights.source,
    )


def _find_weights(config: RunConfig, spec: ModelSpec) -> _Weights:
    wanted = config.weights
    if wanted in (None, "imagenet"):
        return _default_weights(spec)
    if wanted == RANDOM or str(wanted).startswith(f"{RANDOM}:"):
        seed = _seed(str(wanted))
        return _Weights(None, seed, f"random numbers of seed {seed}: the scores mean nothing")
    path = Path(str(wanted)).expanduser().resolve()
    if not path.is_file():
        raise WeightsError(f"weights: expected a file, but there is none at {path}. {_ways(spec)}")
    if path.suffix not in _suffixes(spec):
        raise WeightsError(f"weights: expected a file that ends in {' or '.join(_suffixes(spec))}, received {path}.")
    if path.suffix == ".keras":
        _check_archive(path, spec)
    return _Weights(path, None, f"the file {path}")


def _check_archive(path: Path, spec: ModelSpec) -> None:
    facts = describe_archive(path)
    if facts.outputs not in (None, len(spec.classes)):
        raise WeightsError(
            f"weights: {spec.name} has {len(spec.classes)} classes, but the model in {path} has {facts.outputs}. "
            "Give the file as the model itself, with its labels and its preprocessing."
        )


def _seed(wanted: str) -> int:
    number = wanted.partition(":")[2] or "0"
    if not number.isdecimal():
        raise ConfigError.unexpected("weights", '"random" or "random:SEED" with a whole number', wanted)
    return int(number)


def _default_weights(spec: ModelSpec) -> _Weights:
    if spec.weights.url is None:
        path = Path(__file__).with_name(spec.weights.file_name)
        if not path.is_file():
            raise WeightsError(f"weights: expected {path}, which comes with this package. Install the package again.")
        return _Weights(path, None, "the weights that come with this package")
    path = keras_cache() / spec.weights.file_name
    # Keras states no checksum for some files: then one that is there counts as whole.
    if path.is_file() and (spec.weights.checksum is None or _is_published(spec, path)):
        return _Weights(path, None, f"the Keras cache, {path}")
    try:
        download(spec.weights.url, path, spec.weights.checksum)
    except WeightsError as error:
        raise WeightsError(
            f"weights: {spec.name} has no weights on this machine, and {error}. {_ways(spec)}"
        ) from error
    return _Weights(path, None, f"downloaded from {spec.weights.url}")


def keras_cache() -> Path:
    """Return the folder where Keras keeps downloaded weights, by the rules of Keras itself."""
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"]) / "models"
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras" / "models"


def _suffixes(spec: ModelSpec) -> tuple[str, ...]:
    """Return the endings of weights files: Keras's, or that of a model of this package."""
    return MODEL_SUFFIXES if spec.weights.url else (Path(spec.weights.file_name).suffix,)


def _ways(spec: ModelSpec) -> str:
    if spec.weights.url is None:
        return f"Leave it out: {spec.name} comes with its weights."
    return (
        f"Do one of three: pass --weights PATH with a .weights.h5, .h5 or .keras file of {spec.name}; put "
        f"{spec.weights.file_name} into {keras_cache()}; or run it once where the network can be reached and copy "
        "that folder from there."
    )


def _is_published(spec: ModelSpec, path: Path) -> bool:
    if spec.weights.checksum is None or path.suffix == ".keras":
        return False
    stat = path.stat()
    return _checksum(path, spec.weights.checksum, stat.st_size, stat.st_mtime_ns) == spec.weights.checksum


@lru_cache(maxsize=64)
def _checksum(path: Path, like: str, size_bytes: int, modified_ns: int) -> str:  # noqa: ARG001, the key of the cache
    return file_checksum(path, like)


@lru_cache(maxsize=64)
def _content_digest(path: Path, size_bytes: int, modified_ns: int) -> str:  # noqa: ARG001, the key of the cache
    """Hash a file; of a `.keras` archive all but the date at which it was saved."""
    if path.suffix != ".keras":
        return file_checksum(path, like="0" * 64)
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(set(archive.namelist()) - {"metadata.json"}):
            digest.update(name.encode() + b"\0" + hashlib.sha256(archive.read(name)).digest())
    return digest.hexdigest()
