from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sparkcore.config import RunConfig
from sparkcore.errors import ConfigError, ModelError, WeightsError
from sparkcore.models import weights as weights_module
from sparkcore.models.default_weights import DefaultWeights
from sparkcore.models.registry import ModelSpec, find_spec
from sparkcore.models.weights import ResolvedModel, resolve_model
from tests.models.fixture_model import COLORS, write_fixture_model


@pytest.fixture(scope="module")
def colors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fixture_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty Keras cache and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def no_network(url: str, *_: object) -> None:
        raise WeightsError(f"{url} cannot be downloaded: no network")

    monkeypatch.setattr(weights_module, "download", no_network)
    return tmp_path / "models"


def _resolve(**values: Any) -> ResolvedModel:
    return resolve_model(RunConfig(images="images", **values))


def test_missing_weights_name_three_ways(cache: Path):
    with pytest.raises(WeightsError) as error:
        _resolve(model="resnet50")
    message = str(error.value)
    assert "no network" in message
    assert "--weights PATH" in message
    assert f"put resnet50_weights_tf_dim_ordering_tf_kernels.h5 into {cache}" in message
    assert "where the network can be reached" in message


def test_weights_from_the_keras_cache(cache: Path):
    cache.mkdir()
    path = cache / find_spec("mobilenet_v2").weights.file_name
    path.write_bytes(b"weights")
    model = _resolve(model="mobilenet_v2")
    assert (model.name, model.height, model.width, model.preprocess) == ("mobilenet_v2", 224, 224, "tf")
    assert (model.kind, model.weights_path, model.seed) == ("application", path, None)
    assert str(path) in model.source
    assert _resolve(model="mobilenet_v2", weights="imagenet") == model


def test_damaged_file_in_the_cache_is_not_used(cache: Path):
    cache.mkdir()
    (cache / find_spec("resnet50").weights.file_name).write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="no network"):
        _resolve(model="resnet50")


def test_downloaded_weights_are_used(cache: Path, monkeypatch: pytest.MonkeyPatch):
    def download(url: str, target: Path, checksum: str | None) -> None:
        assert (url, checksum) == (find_spec("vgg16").weights.url, find_spec("vgg16").weights.checksum)
        target.parent.mkdir()
        target.write_bytes(b"weights")

    monkeypatch.setattr(weights_module, "download", download)
    model = _resolve(model="vgg16")
    assert model.weights_path == cache / find_spec("vgg16").weights.file_name
    assert model.source == f"downloaded from {find_spec('vgg16').weights.url}"


def test_published_file_is_known_by_its_checksum(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path = tmp_path / "copied.h5"
    path.write_bytes(b"weights")
    assert not _resolve(model="resnet50", weights=str(path)).is_published
    spec = find_spec("resnet50")
    published = DefaultWeights(spec.weights.file_name, spec.weights.url, hashlib.md5(b"weights").hexdigest())
    monkeypatch.setattr(weights_module, "find_spec", lambda _: _with_weights(spec, published))
    assert _resolve(model="resnet50", weights=str(path)).is_published


def _with_weights(spec: ModelSpec, weights: DefaultWeights) -> ModelSpec:
    return ModelSpec(spec.name, spec.height, spec.width, spec.preprocess, spec.builder, weights)


def test_digest_follows_content_and_not_place(tmp_path: Path):
    paths = [tmp_path / name for name in ("a.h5", "b.h5", "c.h5")]
    for path, content in zip(paths, (b"one", b"one", b"two"), strict=True):
        path.write_bytes(content)
    digests = [_resolve(model="vgg16", weights=str(path)).digest for path in paths]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 64
    assert _resolve(model="vgg19", weights=str(paths[0])).digest != digests[0]
    paths[0].write_bytes(b"three")
    assert _resolve(model="vgg16", weights=str(paths[0])).digest != digests[0]


def test_random_weights_are_told_apart_by_seed():
    first, same, other = (_resolve(weights=w) for w in ("random", "random:0", "random:1"))
    assert first == same
    assert (first.weights_path, first.seed, other.seed) == (None, 0, 1)
    assert first.digest != other.digest
    with pytest.raises(ConfigError, match="random:x"):
        _resolve(weights="random:x")


def test_labels_can_be_translated_but_not_miscounted(tmp_path: Path):
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"klasse_{i}\n" for i in range(1000)))
    model = _resolve(weights="random", labels=str(path))
    assert model.classes[7].label == "klasse_7"
    assert model.digest != _resolve(weights="random").digest
    path.write_text("eins\nzwei\n")
    with pytest.raises(ModelError, match="has 1000 classes, received 2 labels"):
        _resolve(weights="random", labels=str(path))


def test_preprocessing_of_a_known_model_is_fixed():
    assert _resolve(weights="random", preprocess="caffe").preprocess == "caffe"
    with pytest.raises(ModelError, match="resnet50 is made for 'caffe', received 'tf'"):
        _resolve(weights="random", preprocess="tf")


@pytest.mark.parametrize(("name", "reason"), [("none.h5", "there is none"), ("text.npz", "ends in .keras or .h5")])
def test_unusable_weights(tmp_path: Path, name: str, reason: str):
    (tmp_path / "text.npz").write_bytes(b"weights")
    with pytest.raises(WeightsError, match=reason):
        _resolve(weights=str(tmp_path / name))


def test_file_model(colors: Path):
    model = _resolve(model=str(colors))
    assert (model.name, model.height, model.width, model.preprocess) == ("colors", 32, 32, "tf")
    assert [name.label for name in model.classes] == list(COLORS)
    assert (model.kind, model.weights_path) == ("file", colors)
    assert pickle.loads(pickle.dumps(model)) == model


def test_same_model_saved_later_has_the_same_digest(colors: Path, tmp_path: Path):
    again = write_fixture_model(tmp_path)
    with zipfile.ZipFile(colors) as old, zipfile.ZipFile(again, "a") as new:
        new.comment = b"saved later"
        assert old.namelist() == new.namelist()
    assert again.read_bytes() != colors.read_bytes()
    assert _resolve(model=str(again)).digest == _resolve(model=str(colors)).digest


def test_renamed_file_model_has_the_same_digest(colors: Path, tmp_path: Path):
    shutil.copy(colors, tmp_path / "other.keras")
    shutil.copy(colors.with_suffix(".json"), tmp_path / "other.json")
    assert _resolve(model=str(tmp_path / "other.keras")).digest == _resolve(model=str(colors)).digest


def test_file_model_brings_its_own_weights(colors: Path):
    with pytest.raises(ModelError, match="expected none with a model file"):
        _resolve(model=str(colors), weights="imagenet")


def test_archive_of_another_architecture_is_no_weights_file(colors: Path):
    with pytest.raises(WeightsError, match=r"resnet50 has 1000 classes, but the model in .* has 9"):
        _resolve(model="resnet50", weights=str(colors))


def test_nothing_here_imports_tensorflow(colors: Path):
    script = (
        "import importlib, json, pkgutil, sys\n"
        "import sparkcore.models\n"
        "for module in pkgutil.iter_modules(sparkcore.models.__path__):\n"
        "    importlib.import_module(f'sparkcore.models.{module.name}')\n"
        "from sparkcore.config import RunConfig\n"
        "from sparkcore.models.weights import resolve_model\n"
        "resolve_model(RunConfig(images='x', weights='random'))\n"
        f"resolve_model(RunConfig(images='x', model={str(colors)!r}))\n"
        "print(json.dumps([m for m in ('tensorflow', 'keras', 'h5py', 'pyspark', 'streamlit') if m in sys.modules]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert json.loads(result.stdout) == []


def test_auto_is_the_reference_where_its_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    given = tmp_path / "mine.weights.h5"
    given.write_bytes(b"weights")
    model = resolve_model(RunConfig(images="x", weights=str(given)))
    assert (model.name, model.weights_path) == ("resnet50", given)


def test_auto_is_the_built_in_model_elsewhere_and_says_why(cache: Path) -> None:
    model = resolve_model(RunConfig(images="x"))
    assert (model.name, model.height, len(model.classes)) == ("tinynet", 64, 200)
    for words in ("come with this package", "resnet50 has no weights", "--weights PATH", str(cache)):
        assert words in model.source
    with pytest.raises(WeightsError, match="there is none at"):
        resolve_model(RunConfig(images="x", weights=str(cache / "nowhere.h5")))
