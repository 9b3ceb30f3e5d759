"""The choice of a run's runtime and precision, made once, by the driver."""

from __future__ import annotations

import os
from ctypes.util import find_library
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sparkcore.errors import ConfigError
from sparkcore.models.runtimes import openvino, tensorflow
from sparkcore.models.runtimes.interface import Runtime

RUNTIMES: dict[str, Runtime] = {"openvino": openvino, "tensorflow": tensorflow}
RUNTIME_VARIABLE = "SPARKCORE_RUNTIME"
_GPU_DEVICES = Path("/proc/driver/nvidia/gpus")


@dataclass(frozen=True, slots=True)
class Computation:
    """What computes a run, and in which precision: the effective one, which may not be the one asked for."""

    runtime: str
    precision: str


def choose_runtime(precision: str, *, only_openvino: bool = False) -> Computation:
    """Return the runtime of this machine, and the precision in which it computes where `precision` is asked for.

    TensorFlow where a GPU and the libraries for it are here, else OpenVINO; SPARKCORE_RUNTIME overrides it. A precision
    without instructions for it is float32. `only_openvino` is for models that TensorFlow cannot open. Raises
    ConfigError for an unknown runtime.
    """
    name = os.environ.get(RUNTIME_VARIABLE) or ("tensorflow" if _has_gpu() else "openvino")
    name = "openvino" if only_openvino else name
    if name not in RUNTIMES:
        raise ConfigError.unexpected(RUNTIME_VARIABLE, "one of " + ", ".join(RUNTIMES), name)
    is_computed = precision == "float32" or RUNTIMES[name].computes(precision)
    return Computation(name, precision if is_computed else "float32")


def processor() -> str:
    """Return the kind of this machine's processor, on which the scores of a lower precision depend."""
    return openvino.processor()


def _has_gpu(devices: Path = _GPU_DEVICES) -> bool:
    """Tell whether TensorFlow would find a GPU, without importing it, which takes seconds."""
    try:
        has_device = any(devices.iterdir())
        return has_device and (find_spec("nvidia.cudnn") is not None or find_library("cudnn") is not None)
    except (OSError, ImportError):
        return False
