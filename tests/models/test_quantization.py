from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from sparkcore.config import RunConfig
from sparkcore.engine.elsewhere import call_elsewhere
from sparkcore.errors import ConfigError
from sparkcore.models import quantization
from sparkcore.models.freeze import freeze
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.predictor import Predictor
from sparkcore.models.quantization import Pixels, check_quantizer, quantize
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.openvino import read_graph
from tests.models.graph_files import SIDE, write_onnx

Quantized = tuple[FrozenModel, list[int]]


def quantized(asked: tuple[FrozenModel, list[Pixels]], _report: object) -> Quantized:
    seen: list[int] = []
    return quantize(*asked, seen.append), seen


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    folder = tmp_path_factory.mktemp("model")
    path = write_onnx(folder / "model.onnx")
    path.with_suffix(".json").write_text('{"labels": ["a", "b", "c", "d"], "scale": 0.00392156862745098}')
    return freeze(resolve_model(RunConfig("x", model=str(path))), "float32", folder)


@pytest.fixture(scope="module")
def in_int8(frozen: FrozenModel) -> Quantized:
    """Give the model in int8, and which pictures were seen for it."""
    return call_elsewhere(quantized, (frozen, pictures(60)), "no")


def pictures(count: int) -> list[Pixels]:
    rng = np.random.default_rng(1)
    return list(rng.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8))


def test_a_convolution_in_int8(frozen: FrozenModel, in_int8: Quantized) -> None:
    model, seen = in_int8
    assert set(seen) == set(range(60))
    assert (model.precision, model.labels, model.path.parent) == ("int8", frozen.labels, frozen.path.parent)
    assert model.digest == model.path.stem == hashlib.sha256(model.path.read_bytes()).hexdigest()
    kinds = [node.get_type_name() for node in read_graph(model.path).get_ops()]
    assert kinds.count("FakeQuantize") >= 2
    images = np.stack(pictures(100)[60:])
    scores = [Predictor(one, 1).predict(images) for one in (frozen, model)]
    np.testing.assert_allclose(scores[1], scores[0], atol=0.05)
    assert np.abs(scores[1] - scores[0]).max() > 0


def test_equal_models_give_equal_files(frozen: FrozenModel, in_int8: Quantized) -> None:
    assert call_elsewhere(quantized, (frozen, pictures(60)), "no")[0].digest == in_int8[0].digest


def test_nothing_is_reported_to_anybody() -> None:
    code = (
        "import sys\n"
        "events = []\n"
        "sys.addaudithook(lambda name, _: events.append(name) if name.startswith('socket.') else None)\n"
        "from sparkcore.models.quantization import _import_nncf; _import_nncf()\n"
        "from nncf.telemetry.wrapper import telemetry\n"
        "names = sys.modules\n"
        "print(type(telemetry).__name__, names['openvino_telemetry'], 'openvino.tools.ovc' in names, events)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.stdout.strip() == "MagicMock None False []", done.stderr


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    check_quantizer()
    monkeypatch.setattr(quantization, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"int8 needs the package nncf .* pip install 'sparkcore\[int8\]'"):
        check_quantizer()
