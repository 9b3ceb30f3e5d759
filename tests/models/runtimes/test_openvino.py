from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from sparkcore.errors import EngineError, ModelError, RunFailedError
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.runtimes import openvino as runtime
from tests.models.fixture_model import frozen_fixture


@pytest.fixture(scope="module")
def colors(tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    return frozen_fixture(tmp_path_factory.mktemp("model"))


def test_float32_is_asked_for_on_any_processor(colors: FrozenModel):
    compiled = runtime.open_graph(colors, 1)._request.get_compiled_model()
    settings = {
        name: str(compiled.get_property(name))
        for name in ("INFERENCE_PRECISION_HINT", "INFERENCE_NUM_THREADS", "NUM_STREAMS", "ENABLE_CPU_PINNING")
    }
    assert settings == {
        "INFERENCE_PRECISION_HINT": "<Type: 'float32'>",
        "INFERENCE_NUM_THREADS": "1",
        "NUM_STREAMS": "1",
        "ENABLE_CPU_PINNING": "False",
    }


def test_a_processor_without_the_precision_of_the_driver(colors: FrozenModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runtime, "computes", lambda precision: precision == "float32")
    with pytest.raises(EngineError, match="Expected a processor that computes in bfloat16, as the driver's does"):
        runtime.open_graph(replace(colors, precision="bfloat16"), 1)


def test_every_processor_computes_in_float32():
    assert runtime.computes("float32")


@pytest.mark.skipif(not runtime.computes("bfloat16"), reason="this processor has no bfloat16 instructions")
def test_bfloat16(colors: FrozenModel):
    opened = runtime.open_graph(replace(colors, precision="bfloat16"), 1)
    compiled = opened._request.get_compiled_model()
    assert str(compiled.get_property("INFERENCE_PRECISION_HINT")) == "<Type: 'bfloat16'>"
    np.testing.assert_allclose(opened(np.zeros((2, 32, 32, 3), np.uint8)).scores.sum(axis=1), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (RuntimeError("Exception from src/x.cpp:1:\nShapes differ.\n\n"), ModelError, "model: no: Shapes differ."),
        (OSError("gone"), ModelError, "model: no: gone."),
        (MemoryError(), RunFailedError, "model: no: memory ran out. Use a smaller batch size."),
    ],
)
def test_errors(raised: Exception, expected: type[Exception], message: str):
    with pytest.raises(expected) as caught, runtime._errors("model: no"):
        raise raised
    assert (type(caught.value), str(caught.value)) == (expected, message)


def test_the_converter_can_still_be_imported_and_is_not_by_us():
    code = (
        "import sys; from sparkcore.models.runtimes.openvino import computes; computes('float32')\n"
        "import openvino\n"
        "print('openvino.tools.ovc' in sys.modules, 'openvino_telemetry' in sys.modules)\n"
        "sys.modules['openvino_telemetry'] = None\n"
        "import openvino.tools.ovc; print(callable(openvino.tools.ovc.convert_model))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.stdout.split() == ["False", "False", "True"], done.stderr
