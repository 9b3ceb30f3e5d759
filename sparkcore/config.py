"""The settings of a run (`RunConfig`) and of its execution (`EngineConfig`)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from sparkcore.errors import ConfigError

READERS = ("bytes", "image")
RESIZE_MODES = ("auto", "stretch", "crop", "pad")
INTERPOLATIONS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
PRECISIONS = ("float32", "bfloat16", "int8")
TRUTHS = ("none", "folder", "filename")
KEEPS = ("scores", "resized", "pixels")
FEATURES = ("all", "none")
PREPROCESSES = ("caffe", "tf", "torch", "none")
KERAS_SUFFIXES = (".keras", ".h5")
GRAPH_SUFFIXES = (".onnx", ".tflite", ".xml")
MODEL_SUFFIXES = (*KERAS_SUFFIXES, *GRAPH_SUFFIXES)

DEFAULT_STORE = "runs-store"
DEFAULT_MODEL = "auto"  # ResNet50, or the built-in model where its weights are not available


@dataclass(frozen=True, slots=True)
class Fit:
    """How an image is resized to the model's input: a resize mode other than "auto".

    `crop_ratio` is the share of the shorter side that a center crop keeps; other modes keep the whole image.
    """

    mode: str
    crop_ratio: float = 1.0

    def __post_init__(self) -> None:
        _check_choice("resize", self.mode, RESIZE_MODES[1:])
        if not 0 < self.crop_ratio <= 1:
            raise ConfigError.unexpected("crop_ratio", "a number above 0 and at most 1", self.crop_ratio)

    def __str__(self) -> str:
        return self.mode if self.crop_ratio == 1 else f"{self.mode} {100 * self.crop_ratio:g} %"


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Hold exactly what the result of a run depends on.

    `images` is a path, a pattern or a URI; folders are read recursively. Sizes are in pixels, inclusive; images
    outside of them are left out. `sample` limits the number of files, chosen by `seed` before any image is opened.
    `weights`, `labels` and `preprocess` are needed only where the model has none of its own. `resize` "auto" is
    the way of the model's authors. A run in int8 is made in float32 where int8 keeps a smaller share of first labels
    than `min_agreement`. `features` "all" keeps an embedding and activation maps of each image.

    Raises ConfigError for an invalid value.
    """

    images: str
    model: str = DEFAULT_MODEL
    weights: str | None = None
    labels: str | None = None
    preprocess: str | None = None
    reader: str = "bytes"
    resize: str = "auto"
    interpolation: str = "bicubic"
    precision: str = "float32"
    min_agreement: float = 0.97
    top_k: int = 5
    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    min_channels: int | None = None
    max_channels: int | None = None
    sample: int | None = None
    seed: int = 0
    truth: str = "none"
    keep: tuple[str, ...] = ()
    features: str = "all"

    def __post_init__(self) -> None:
        for name in ("images", "model"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise ConfigError.unexpected(name, "a non-empty text", getattr(self, name))
        _check_choice("reader", self.reader, READERS)
        _check_choice("resize", self.resize, RESIZE_MODES)
        _check_choice("interpolation", self.interpolation, INTERPOLATIONS)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_share("min_agreement", self.min_agreement)
        _check_choice("truth", self.truth, TRUTHS)
        _check_choice("features", self.features, FEATURES)
        if self.preprocess is not None:
            _check_choice("preprocess", self.preprocess, PREPROCESSES)
        for name in self.keep:
            _check_choice("keep", name, KEEPS)
        object.__setattr__(self, "keep", tuple(k for k in KEEPS if k in self.keep))
        _check_int("top_k", self.top_k, 1)
        _check_int("seed", self.seed, 0)
        if self.sample is not None:
            _check_int("sample", self.sample, 1)
        for side in ("width", "height", "channels"):
            _check_range(side, getattr(self, f"min_{side}"), getattr(self, f"max_{side}"))

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON can represent."""
        return {**asdict(self), "keep": list(self.keep)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Build a config from `to_dict`'s values; raises ConfigError for a name that is not known."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(f"Expected only {sorted(known)}, also received {unknown}. Remove them.")
        if "images" not in values:
            raise ConfigError("images: expected a path, a pattern or a URI, received nothing.")
        return cls(**{**values, "keep": tuple(values.get("keep") or ())})


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Hold how a run is executed; nothing here changes its result.

    `store` is the path or URI of the runs, `state` the folder of what only this machine needs (None: chosen by
    `runs.state`). `master` is a Spark master or Spark Connect URL (None: SPARK_REMOTE, else spark-submit's, else
    local[*]), `spark_conf` has further settings of Spark. `batch_size` is the number of images per call of the model,
    `threads` the number of model threads in each Python worker (None: the cores of one task), `bucket_size` the number
    of images in a bucket, the unit of progress and resume (None: about three seconds).
    """

    store: str = DEFAULT_STORE
    state: Path | None = None
    master: str | None = None
    spark_conf: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # may hold keys of an object store
    batch_size: int = 32
    threads: int | None = None
    bucket_size: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", _store_uri(self.store))
        if self.state is not None:
            object.__setattr__(self, "state", Path(self.state).expanduser().absolute())
        object.__setattr__(self, "spark_conf", tuple((name, value) for name, value in self.spark_conf))
        for name, _ in self.spark_conf:
            _check_spark_name(name)
        _check_int("batch_size", self.batch_size, 1)
        for name in ("threads", "bucket_size"):
            if getattr(self, name) is not None:
                _check_int(name, getattr(self, name), 1)

    @classmethod
    def from_environment(cls, **values: Any) -> EngineConfig:
        """Build a config; missing values come from SPARKCORE_STORE and SPARK_REMOTE."""
        given = {name: value for name, value in values.items() if value is not None}
        given.setdefault("store", os.environ.get("SPARKCORE_STORE") or DEFAULT_STORE)
        return cls(**{"master": os.environ.get("SPARK_REMOTE"), **given})


def spark_setting(text: str) -> tuple[str, str]:
    """Return name and value of `KEY=VALUE`; raises ConfigError, which never repeats the value."""
    name, equals, value = text.partition("=")
    _check_spark_name(name)
    if not equals:
        raise ConfigError(f"spark-conf: expected KEY=VALUE, received {name!r} without a value.")
    return name, value.strip()


def _check_spark_name(name: str) -> None:
    if name in ("spark.master", "spark.remote"):
        raise ConfigError(f"spark-conf: {name} has an option of its own, --master.")
    if not re.fullmatch(r"spark(\.[^\s.=]+)+", name):
        received = repr(name) if name.startswith("spark") else "something else"
        raise ConfigError(
            f"spark-conf: expected KEY=VALUE with a key such as spark.executor.memory, received {received}."
        )


def _store_uri(store: str | Path) -> str:
    """Return the absolute path of a local store, or the URI of another without a slash at its end."""
    text = os.fspath(store)
    return text.rstrip("/") if "://" in text else os.path.abspath(os.path.expanduser(text))


def cache_folder() -> Path:
    """Return the folder of frozen models and of the JVM's class archive: SPARKCORE_CACHE, else the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("SPARKCORE_CACHE") or f"{base}/sparkcore").expanduser()


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError.unexpected(name, "one of " + ", ".join(choices), value)


def _check_int(name: str, value: object, minimum: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError.unexpected(name, f"a whole number of at least {minimum}", value)


def _check_share(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError.unexpected(name, "a number from 0 to 1", value)


def _check_range(side: str, minimum: int | None, maximum: int | None) -> None:
    for end, value in (("min", minimum), ("max", maximum)):
        if value is not None:
            _check_int(f"{end}_{side}", value, 1)
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ConfigError(f"min_{side} {minimum} is above max_{side} {maximum}: no image passes. Swap them.")
