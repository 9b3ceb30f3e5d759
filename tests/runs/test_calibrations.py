from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from sparkcore.errors import RunFailedError
from sparkcore.runs.agreement import Agreement
from sparkcore.runs.calibrations import (
    Calibration,
    create_calibration,
    fetch_graph,
    graph_name,
    read_calibration,
    record_name,
    unused_graphs,
)
from sparkcore.storage.folder import FolderStorage

AGREEMENT = Agreement(100, 0.99, 0.945, 0.998, 0.01, 0.2)


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "store")


def made(folder: Path, content: bytes, run_id: str = "first") -> tuple[Calibration, Path]:
    path = folder / run_id
    path.write_bytes(content)
    return Calibration("key", "int8", run_id, "m", "EPYC", AGREEMENT, hashlib.sha256(content).hexdigest(), 50), path


def test_the_first_one_counts(tmp_path: Path, storage: FolderStorage) -> None:
    assert read_calibration(storage, "key") is None
    first, second = made(tmp_path, b"one"), made(tmp_path, b"two", "second")
    assert create_calibration(storage, *first) == first[0]
    assert create_calibration(storage, *second) == first[0] == read_calibration(storage, "key")
    names = {entry.name for entry in storage.list("calibrations")}
    assert names == {record_name("key"), graph_name("key", first[0].quantized)}
    fetch_graph(storage, first[0], tmp_path / "cache" / "model.ir")
    assert (tmp_path / "cache" / "model.ir").read_bytes() == b"one"


def test_bfloat16_has_no_model_of_its_own(storage: FolderStorage) -> None:
    calibration = Calibration("key", "bfloat16", "run", "m", "EPYC", AGREEMENT)
    assert create_calibration(storage, calibration, None) == calibration == read_calibration(storage, "key")
    assert [entry.name for entry in storage.list("calibrations")] == [record_name("key")]


def test_a_damaged_or_missing_model_is_not_used(tmp_path: Path, storage: FolderStorage) -> None:
    calibration, path = made(tmp_path, b"one")
    create_calibration(storage, calibration, path)
    storage.write(graph_name("key", calibration.quantized), b"two")
    for message in ("is damaged", "is missing"):
        with pytest.raises(RunFailedError, match=message):
            fetch_graph(storage, calibration, tmp_path / "model.ir")
        assert not (tmp_path / "model.ir").exists()
        storage.delete(graph_name("key", calibration.quantized))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"agreement": {}}'])
def test_a_damaged_record(storage: FolderStorage, content: bytes) -> None:
    storage.write(record_name("key"), content)
    storage.write(graph_name("key", "0"), b"x")
    with pytest.raises(RunFailedError, match=r"calibration\.json is damaged"):
        read_calibration(storage, "key")
    assert list(unused_graphs(storage)) == []


def test_what_no_record_names_is_garbage(tmp_path: Path, storage: FolderStorage) -> None:
    calibration, path = made(tmp_path, b"one")
    create_calibration(storage, calibration, path)
    for key in ("key", "other"):
        storage.write(graph_name(key, "0"), b"x")
    create_calibration(storage, replace(calibration, key="third"), path)
    found = {entry.name for entry in unused_graphs(storage)}
    assert found == {graph_name("key", "0"), graph_name("other", "0")}
