from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from sparkcore.errors import ConfigError
from sparkcore.models.runtimes import choice
from sparkcore.models.runtimes.choice import Computation, choose_runtime


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(choice.RUNTIME_VARIABLE, raising=False)
    monkeypatch.setattr(choice, "_has_gpu", lambda: False)


def test_a_cpu_computes_with_openvino() -> None:
    assert choose_runtime("float32") == Computation("openvino", "float32")


def test_a_gpu_computes_with_tensorflow_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_has_gpu", lambda: True)
    assert choose_runtime("float32") == choose_runtime("bfloat16") == Computation("tensorflow", "float32")


@pytest.mark.parametrize(("has_instructions", "effective"), [(True, "bfloat16"), (False, "float32")])
def test_the_effective_precision(monkeypatch: pytest.MonkeyPatch, has_instructions: bool, effective: str) -> None:
    monkeypatch.setattr(choice.openvino, "computes", lambda _: has_instructions)
    assert choose_runtime("bfloat16") == Computation("openvino", effective)


def test_the_environment_overrides_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(choice.RUNTIME_VARIABLE, "tensorflow")
    assert choose_runtime("float32") == Computation("tensorflow", "float32")
    monkeypatch.setenv(choice.RUNTIME_VARIABLE, "torch")
    with pytest.raises(ConfigError, match="SPARKCORE_RUNTIME: expected one of openvino, tensorflow, received 'torch'"):
        choose_runtime("float32")


@pytest.mark.parametrize(
    ("device", "library", "expected"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_gpu_needs_its_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: bool, library: bool, expected: bool
) -> None:
    monkeypatch.undo()
    devices = tmp_path / "gpus"
    if device:
        (devices / "0000:01:00.0").mkdir(parents=True)
    monkeypatch.setattr(choice, "find_spec", lambda name: ModuleSpec(name, None) if library else None)
    monkeypatch.setattr(choice, "find_library", lambda _: None)
    assert choice._has_gpu(devices) is expected
