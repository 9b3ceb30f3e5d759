"""Files are written here as PyTorch's legacy `torch.save` writes them, without PyTorch."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparkcore.errors import WeightsError
from sparkcore.models.torch_weights import MAGIC_NUMBER, PROTOCOL_VERSION, read_torch_weights

SYSTEM = {"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": {"int": 4}}
VALUES = np.arange(24, dtype=np.float32)


class Global:
    """Pickle as a reference to a name of a module that need not exist."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Storage:
    """Pickle as a persistent id."""

    def __init__(self, key: str, dtype: str, count: int, kind: str = "storage") -> None:
        self.pid = (kind, Global("torch", dtype), key, "cpu", count, None)


class Call:
    """Pickle as a call of a global."""

    def __init__(self, function: Global, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Pickler(pickle._Pickler):
    """Python's own pickler, which lets names be written that cannot be imported."""

    def persistent_id(self, value: Any) -> Any:
        return value.pid if isinstance(value, Storage) else None

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        if isinstance(value, Global):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self.save(value.function)
            self.save(tuple(value.arguments))
            self.write(pickle.REDUCE)
        else:
            super().save(value, save_persistent_id)


def tensor(storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Call:
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, storage, offset, shape, strides, False, Call(Global("collections", "OrderedDict")))


def write(path: Path, state: Any, storages: dict[str, np.ndarray], system: dict[str, Any] | None = None) -> Path:
    buffer = io.BytesIO()
    for value in (MAGIC_NUMBER, PROTOCOL_VERSION, system or SYSTEM, state, list(storages)):
        Pickler(buffer, protocol=2).dump(value)
    for values in storages.values():
        buffer.write(struct.pack("<q", values.size) + values.tobytes())
    path.write_bytes(buffer.getvalue())
    return path


def test_strides_and_offsets_decide_where_the_values_are(tmp_path: Path):
    storage, counts = Storage("7", "FloatStorage", 24), Storage("3", "LongStorage", 1)
    state = {
        "plain": tensor(storage, 0, (4, 6), (6, 1)),
        "transposed": tensor(storage, 0, (6, 4), (1, 6)),
        "part": tensor(storage, 5, (2, 3), (6, 2)),
        "count": tensor(counts, 0, (), ()),
    }
    path = write(tmp_path / "w.pth", state, {"3": np.array([41]), "7": VALUES})
    read = read_torch_weights(path)
    grid = VALUES.reshape(4, 6)
    np.testing.assert_array_equal(read["plain"], grid)
    np.testing.assert_array_equal(read["transposed"], grid.T)
    np.testing.assert_array_equal(read["part"], [[5, 7, 9], [11, 13, 15]])
    assert (read["count"].shape, int(read["count"]), read["count"].dtype) == ((), 41, np.int64)
    assert all(value.flags.c_contiguous and value.flags.owndata for value in read.values())


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("collections", "defaultdict"), ("torch", "nn.Linear")],
)
def test_any_other_name_is_refused_before_it_is_called(tmp_path: Path, module: str, name: str):
    marker = tmp_path / "called"
    path = write(tmp_path / "w.pth", {"x": Call(Global(module, name), f"touch {marker}")}, {})
    with pytest.raises(WeightsError, match=rf"refers to {module}\.{name}"):
        read_torch_weights(path)
    assert not marker.exists()


def test_a_pickle_by_python_itself_runs_no_code(tmp_path: Path):
    class Attack:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "called"),)

    (tmp_path / "w.pth").write_bytes(pickle.dumps(Attack(), protocol=2))
    with pytest.raises(WeightsError, match=r"refers to (posix|nt)\.mkdir"):
        read_torch_weights(tmp_path / "w.pth")
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (5, 6), (6, 1)), (1, (4, 6), (6, 1)), (-1, (2,), (1,)), (9, (2,), (-9,)), (0, (-4,), (1,)), (0, (4,), (6, 1))],
)
def test_tensors_outside_of_their_storage(tmp_path: Path, offset: int, shape: tuple[int, ...], strides: Any):
    state = {"x": tensor(Storage("1", "FloatStorage", 24), offset, shape, strides)}
    with pytest.raises(WeightsError, match=r"w\.pth"):
        read_torch_weights(write(tmp_path / "w.pth", state, {"1": VALUES}))


@pytest.mark.parametrize("state", [["x"], {"x": 1}, {"x": Storage("1", "FloatStorage", 24, kind="module")}])
def test_anything_but_a_dict_of_tensors(tmp_path: Path, state: Any):
    with pytest.raises(WeightsError, match="expected"):
        read_torch_weights(write(tmp_path / "w.pth", state, {"1": VALUES}))


def test_big_endian_files_are_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match="little-endian"):
        read_torch_weights(write(tmp_path / "w.pth", {}, {}, {**SYSTEM, "little_endian": False}))


def test_every_damaged_file_is_a_weights_error(tmp_path: Path):
    state = {"x": tensor(Storage("1", "FloatStorage", 24), 0, (4, 6), (6, 1))}
    content = write(tmp_path / "w.pth", state, {"1": VALUES}).read_bytes()
    for length in range(len(content)):
        (tmp_path / "short.pth").write_bytes(content[:length])
        with pytest.raises(WeightsError, match=r"short\.pth"):
            read_torch_weights(tmp_path / "short.pth")
    with pytest.raises(WeightsError, match="No such file"):
        read_torch_weights(tmp_path / "none.pth")
    (tmp_path / "zip.pth").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(WeightsError, match="PyTorch weights file"):
        read_torch_weights(tmp_path / "zip.pth")


def test_names_in_the_written_files_are_those_of_pytorch(tmp_path: Path):
    path = write(tmp_path / "w.pth", {"x": tensor(Storage("1", "FloatStorage", 24), 0, (24,), (1,))}, {"1": VALUES})
    with path.open("rb") as file:
        operations = [list(pickletools.genops(file)) for _ in range(4)][3]
    names = {argument for operation, argument, _ in operations if operation.name == "GLOBAL"}
    assert names == {"torch._utils _rebuild_tensor_v2", "torch FloatStorage", "collections OrderedDict"}
