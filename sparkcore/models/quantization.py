"""Quantize a frozen model to int8 after training, on images without labels."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkcore.errors import ConfigError, ModelError
from sparkcore.models.feature_file import stored_features
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.runtimes.openvino import PACKED_SUFFIX, import_openvino, pack, read_graph
from sparkcore.storage.local import replacing

_TELEMETRY = "openvino_telemetry"

Pixels = npt.NDArray[np.uint8]


def check_quantizer() -> None:
    """Raise ConfigError unless NNCF, which quantizes, is installed."""
    if find_spec("nncf") is None:
        raise ConfigError(
            "precision: int8 needs the package nncf to quantize a model. Install it: pip install 'sparkcore[int8]'. "
            "Models that the store holds in int8 need it no more."
        )


def quantize(frozen: FrozenModel, images: Sequence[Pixels], seen: Callable[[int], None]) -> FrozenModel:
    """Return a frozen model in int8, written beside the given one under its own digest.

    `images` are the inputs, uint8 RGB [height, width, 3], from which the range of each activation is taken; `seen` is
    told how many of them have passed. Raises ModelError for a model that cannot be quantized.
    """
    nncf = _import_nncf()

    def passing() -> Iterator[Pixels]:
        for number, pixels in enumerate(images):
            seen(number)
            yield pixels[np.newaxis]

    try:
        model = nncf.quantize(read_graph(frozen.path), nncf.Dataset(_Repeated(passing)), subset_size=len(images))
    except (nncf.ValidationError, nncf.UnsupportedModelError, RuntimeError) as error:
        raise ModelError(f"precision: the model cannot be computed in int8 ({error}). Use float32.") from error
    path = _stored(model, frozen.path)
    return replace(frozen, path=path, digest=path.stem, precision="int8")


class _Repeated:
    """Images that can be passed through any number of times."""

    def __init__(self, passing: Callable[[], Iterator[Pixels]]) -> None:
        self._passing = passing

    def __iter__(self) -> Iterator[Pixels]:
        return self._passing()


def _stored(model: Any, original: Path) -> Path:
    with tempfile.TemporaryDirectory() as unnamed:
        packed = Path(unnamed, "packed")
        pack(model, packed, stored_features(original))
        with packed.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path = original.parent / f"{digest}{PACKED_SUFFIX}"
        with replacing(path) as temporary:
            shutil.copyfile(packed, temporary)
    return path


def _import_nncf() -> Any:
    """Return the module `nncf` without its telemetry, which reports each call to a server on the internet.

    NNCF is made to work without it; this process can then no longer import it.
    """
    import_openvino()
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # Python's way to make an import fail
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf
