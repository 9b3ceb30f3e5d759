"""OpenVINO, the runtime on CPUs: it reads the frozen graph as it is, and folds and fuses by itself."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import numpy as np

from sparkcore.errors import EngineError, ModelError, RunFailedError, first_line
from sparkcore.models.freeze import FrozenModel
from sparkcore.models.runtimes.interface import Batch, Scores

# OpenVINO's words for our precisions: the hint, and what a processor lists among its capabilities.
_HINTS = {"float32": "f32", "bfloat16": "bf16"}
_CAPABILITIES = {"float32": "FP32", "bfloat16": "BF16"}
# Activations of a few images stay in the processor's cache: 32 at once are 10 % slower for small models.
_IMAGES_PER_THREAD = 4
_CONVERTER = "openvino.tools.ovc"


def computes(precision: str) -> bool:
    """Tell whether this processor has instructions for a precision."""
    return _CAPABILITIES[precision] in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def open_graph(frozen: FrozenModel, threads: int | None) -> OpenVinoGraph:
    """Open a frozen graph for a number of threads (None: all cores).

    Raises ModelError for a file that is missing or damaged, EngineError for a precision that this processor lacks.
    """
    if not computes(frozen.precision):
        raise EngineError(
            f"Expected a processor that computes in {frozen.precision}, as the driver's does, but that of "
            f"{platform.node()} does not. Use equal machines, or precision float32."
        )
    with _errors(f"model: {frozen.path} is no frozen graph; delete it and run again"):
        frozen.path.open("rb").close()  # OpenVINO does not tell why a file cannot be read
        model = _core().read_model(frozen.path)
        return OpenVinoGraph(_core().compile_model(model, "CPU", _settings(frozen.precision, threads)), threads)


class OpenVinoGraph:
    """A compiled model; calls from several threads wait for each other."""

    def __init__(self, compiled: Any, threads: int | None) -> None:
        self._request = compiled.create_infer_request()
        self._length = _IMAGES_PER_THREAD * (threads or compiled.get_property("INFERENCE_NUM_THREADS"))
        self._lock = Lock()

    def __call__(self, batch: Batch) -> Scores:
        """Return the probabilities of a batch; see `interface.OpenGraph`."""
        starts = range(0, len(batch), self._length)
        with self._lock, _errors(f"model: predicting {len(batch)} images failed"):
            scores = [self._request.infer([batch[start : start + self._length]])[0] for start in starts]
        return scores[0] if len(scores) == 1 else np.concatenate(scores)


def _settings(precision: str, threads: int | None) -> dict[str, Any]:
    """Return OpenVINO's settings.

    There is no cache of compiled models: measured with ResNet50, reading one back takes as long as compiling, and a
    quarter more memory.
    """
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],  # otherwise bfloat16, wherever a processor has it
        "NUM_STREAMS": "1",
        "ENABLE_CPU_PINNING": False,  # the workers of a machine would all choose its first cores
    }
    return settings if threads is None else {**settings, "INFERENCE_NUM_THREADS": threads}


@cache
def _core() -> Any:
    return _import_openvino().Core()


def _import_openvino() -> Any:
    """Return the module `openvino`, imported without its model converter.

    The converter reports each import to a server on the internet, and takes half of the time to import. OpenVINO is
    made to work without it; whoever needs it can still import it.
    """
    if "openvino" not in sys.modules and _CONVERTER not in sys.modules:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # Python's way to make an import fail
        try:
            import openvino
        finally:
            del sys.modules[_CONVERTER]
        return openvino
    import openvino

    return openvino


@contextmanager
def _errors(message: str) -> Iterator[None]:
    """Turn what OpenVINO raises, RuntimeError without exception, into errors that begin with `message`."""
    try:
        yield
    except MemoryError as error:
        raise RunFailedError(f"{message}: memory ran out. Use a smaller batch size.") from error
    except (RuntimeError, OSError) as error:
        raise ModelError(f"{message}: {first_line(error).rstrip('.')}.") from error
