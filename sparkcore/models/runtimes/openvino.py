"""OpenVINO, the runtime on CPUs: it reads the frozen graph as it is, and folds and fuses by itself."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from sparkcore.errors import EngineError, ModelError, RunFailedError
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.runtimes.interface import Batch, Outputs
from sparkcore.storage.local import replacing

# OpenVINO's words for our precisions: the hint, and what a processor lists among its capabilities.
_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}  # int8: of what is not quantized
_CAPABILITIES = {"float32": "FP32", "bfloat16": "BF16", "int8": "INT8"}
# Activations of a few images stay in the processor's cache: 32 at once are 10 % slower for small models.
_IMAGES_PER_THREAD = 4
_LONGEST_REASON = 300
_CONVERTER = "openvino.tools.ovc"
# A model of OpenVINO in one file: a ZIP of its two, uncompressed.
PACKED_SUFFIX = ".ir"
MODEL_ENTRY, WEIGHTS_ENTRY, FEATURES_ENTRY = "model.xml", "model.bin", "features.npz"


def computes(precision: str) -> bool:
    """Tell whether this processor has instructions for a precision."""
    return _CAPABILITIES[precision] in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def processor() -> str:
    """Return the kind of this machine's processor."""
    return str(_core().get_property("CPU", "FULL_DEVICE_NAME"))


def open_graph(frozen: FrozenModel, threads: int | None) -> OpenVinoGraph:
    """Open a frozen graph for a number of threads (None: all cores).

    Raises ModelError for a file that is missing or damaged, EngineError for a precision that this processor lacks.
    """
    if not computes(frozen.precision):
        raise EngineError(
            f"Expected a processor that computes in {frozen.precision}, as the driver's does, but that of "
            f"{platform.node()} does not. Use equal machines, or precision float32."
        )
    model = read_graph(frozen.path, "is no frozen graph; delete it and run again")
    with _errors(f"model: {frozen.path} cannot be prepared"):
        model = _with_outputs(model, ("probabilities",) if frozen.features is None else ("probabilities", "features"))
        return OpenVinoGraph(_core().compile_model(model, "CPU", _settings(frozen.precision, threads)), threads)


def read_graph(path: Path, refusal: str = "cannot be opened") -> Any:
    """Return OpenVINO's model of a frozen graph, or of an ONNX, TFLite or OpenVINO file.

    Raises ModelError with `refusal` for a file that is missing or damaged.
    """
    with _errors(f"model: {path} {refusal}"):
        path.open("rb").close()  # OpenVINO does not tell why a file cannot be read
        if path.suffix != PACKED_SUFFIX:
            return _core().read_model(path)
        with zipfile.ZipFile(path) as archive:
            weights = np.frombuffer(archive.read(WEIGHTS_ENTRY), np.uint8)
            return _core().read_model(archive.read(MODEL_ENTRY), import_openvino().Tensor(weights))


def pack(model: Any, target: Path, features: bytes | None = None) -> None:
    """Write a model of OpenVINO to one file, which `read_graph` opens; equal models give equal bytes.

    `features` is what `feature_file` stores.
    """
    with tempfile.TemporaryDirectory() as folder, replacing(target) as packed:
        files = {name: Path(folder, name) for name in (MODEL_ENTRY, WEIGHTS_ENTRY)}
        import_openvino().serialize(model, *files.values())
        if features is not None:
            files[FEATURES_ENTRY] = Path(folder, FEATURES_ENTRY)
            files[FEATURES_ENTRY].write_bytes(features)
        with zipfile.ZipFile(packed, "w") as archive:  # uncompressed
            for name, file in files.items():
                with file.open("rb") as source, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
                    shutil.copyfileobj(source, entry)


class OpenVinoGraph:
    """A compiled model; calls from several threads wait for each other."""

    def __init__(self, compiled: Any, threads: int | None) -> None:
        self._request = compiled.create_infer_request()
        batch = compiled.inputs[0].get_partial_shape()[0]
        most = _IMAGES_PER_THREAD * (threads or compiled.get_property("INFERENCE_NUM_THREADS"))
        self._length = most if batch.is_dynamic else batch.get_length()
        self._lock = Lock()

    def __call__(self, batch: Batch) -> Outputs:
        """Return the outputs of a batch; see `interface.OpenGraph`."""
        starts = range(0, len(batch), self._length)
        with self._lock, _errors(f"model: predicting {len(batch)} images failed"):
            outputs = [list(self._request.infer([batch[start : start + self._length]]).values()) for start in starts]
        columns = [pieces[0] if len(pieces) == 1 else np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]
        return Outputs(columns[0], columns[1] if len(columns) > 1 else None)


def _with_outputs(model: Any, names: tuple[str, ...]) -> Any:
    """Return the model with these outputs in this order: what only others need is not computed."""
    found = {name.partition(":")[0]: output for output in model.outputs for name in output.get_names()}
    return import_openvino().Model([found[name].get_node() for name in names], model.get_parameters())


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
    return import_openvino().Core()


def import_openvino() -> Any:
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
    except (RuntimeError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{message}: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    """Return the last line of an error's message: OpenVINO begins with the lines of its own source code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:_LONGEST_REASON] if lines else type(error).__name__
