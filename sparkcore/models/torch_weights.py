"""Read the tensors in a PyTorch weights file of the legacy format, without PyTorch.

Such a file is a row of pickles (magic number, protocol version, byte order, state dict, storage keys), followed by
the raw storages. Unpickling can run any code, so only the names that a plain state dict needs are admitted.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from sparkcore.errors import WeightsError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
STORAGE_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}

Array = npt.NDArray[Any]


def read_torch_weights(path: Path) -> dict[str, Array]:
    """Return all tensors of the state dict in `path` by name: C-contiguous arrays, float32 or int64.

    Raises WeightsError for a file of another format, one that names anything but tensors, and one that is damaged.
    """
    try:
        with path.open("rb") as file:
            tensors = _read_state(file)
            storages = _read_storages(file, {tensor.key: tensor.dtype for tensor in tensors.values()})
        return {name: tensor.take_from(storages[tensor.key]) for name, tensor in tensors.items()}
    except WeightsError as error:
        raise WeightsError(f"weights: {path} {error}") from error
    except (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error) as error:
        raise WeightsError(f"weights: {path} cannot be read as a PyTorch weights file: {error!r}.") from error
    except pickle.UnpicklingError as error:
        raise WeightsError(f"weights: {path} is no PyTorch weights file of the legacy format: {error}.") from error


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage; offset and strides count elements."""

    key: str
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def take_from(self, storage: Array) -> Array:
        last = self.offset + sum((side - 1) * stride for side, stride in zip(self.shape, self.strides, strict=True))
        if min(self.offset, *self.shape, *self.strides, 0) < 0 or last >= len(storage):
            raise WeightsError(f"holds a tensor of shape {self.shape} that exceeds its {len(storage)} stored values.")
        strides = [stride * storage.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(storage[self.offset :], self.shape, strides, writeable=False).copy("C")


def _rebuild_tensor(storage: tuple[str, str], offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    key, dtype = storage
    return _Tensor(key, dtype, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Admit four names only; storage types become plain text, which nothing can call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGE_TYPES:
            return STORAGE_TYPES[name]
        raise WeightsError(f"refers to {module}.{name}, but only a dict of tensors is read.")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        kind, dtype, key, *_ = pid
        if kind != "storage":
            raise WeightsError(f"expected storages, received {kind!r}.")
        return key, dtype


def _read_state(file: BinaryIO) -> dict[str, _Tensor]:
    magic, version, system = (_Unpickler(file).load() for _ in range(3))
    if magic != MAGIC_NUMBER or version != PROTOCOL_VERSION or not system.get("little_endian"):
        raise WeightsError("is no little-endian PyTorch weights file of the legacy format.")
    state = _Unpickler(file).load()
    if not isinstance(state, dict) or not all(isinstance(tensor, _Tensor) for tensor in state.values()):
        raise WeightsError(f"expected a dict of tensors, received a {type(state).__name__} with other values.")
    return dict(state)


def _read_storages(file: BinaryIO, dtypes: dict[str, str]) -> dict[str, Array]:
    storages = {}
    for key in _Unpickler(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        dtype = np.dtype(dtypes[key])
        storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
    return storages
