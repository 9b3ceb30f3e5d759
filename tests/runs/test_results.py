from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkcore.classes import ClassName
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs import thumbnails
from sparkcore.runs.layout import columns_name, files_name
from sparkcore.runs.mapped import map_columns, map_results, read_thumbnails
from sparkcore.runs.results import load_results, load_rows, load_thumbnails, read_parts
from sparkcore.runs.store import RunStore
from sparkcore.schema import KEEP_FIELDS, light_schema, result_schema
from tests.runs.test_store import MANIFEST
from tests.runs_fixture import write_0_1_run, write_rows

KEEP = ("scores", "pixels")
IDS = [f"{number:04d}" for number in range(150)]


def rows_of(ids: list[str]) -> list[dict[str, Any]]:
    """Return rows whose pictures name them; every tenth is excluded, every seventh has no picture."""
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(ids):
        row: dict[str, Any] = {
            "image_id": name,
            "file_name": f"{name}.jpg",
            "version": "1",
            "status": "ok",
            "class_id": "n1",
            "label": "a",
        }
        if number % 10 == 9:
            row = {"image_id": name, "file_name": f"{name}.jpg", "status": "excluded"}
        elif number % 7 == 6:
            row |= {"status": "error", "error_type": "empty"}
        else:
            row |= {"thumbnail": picture(name), "scores": [0.25, number / 8], "pixels": name.encode()}
        rows.append(row)
    return rows


def picture(name: str) -> bytes:
    return np.random.default_rng(int(name)).bytes(200 + int(name))


@pytest.fixture
def run(store: RunStore) -> str:
    """Write a run of three parts with several row groups each."""
    manifest: dict[str, Any] = {"config": {"keep": list(KEEP)}, "counts": {"images": len(IDS), "excluded": 15}}
    write_rows(store, replace(MANIFEST, **manifest), rows_of(IDS), rows_per_part=70)
    return MANIFEST.run_id


def kept() -> list[str]:
    return [name for number, name in enumerate(IDS) if number % 10 != 9]


def has_picture(name: str) -> bool:
    return IDS.index(name) % 7 != 6 and name in kept()


@pytest.mark.usefixtures("run")
def test_all_rows_without_pictures(store: RunStore) -> None:
    table = load_results(store, "00aa")
    assert table.schema.equals(light_schema())
    assert table["image_id"].to_pylist() == kept()
    assert table["error_type"].to_pylist().count("empty") == sum(not has_picture(name) for name in kept())
    assert map_results(store, "00aa").equals(table)
    assert load_results(store, "00aa", ["label"]).column_names == ["label"]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("columns", [["image_id", "status"], ["image_id", "thumbnail", "scores", "resized"]])
def test_columns_as_they_were_computed(store: RunStore, columns: list[str]) -> None:
    found = read_parts(store, "00aa", columns)
    assert found.schema.equals(pa.schema([result_schema(tuple(KEEP_FIELDS)).field(name) for name in columns]))
    known = {row["image_id"]: row for row in rows_of(IDS)}
    assert found.to_pylist() == [{name: known[one].get(name) for name in columns} for one in kept()]


@pytest.mark.usefixtures("run")
def test_thumbnails_by_row_keep_their_order(store: RunStore) -> None:
    rows = [134, 3, 77, 5, 3, 6, 0]
    names = [kept()[row] for row in rows]
    assert read_thumbnails(store, "00aa", rows) == [picture(name) if has_picture(name) else None for name in names]
    assert read_thumbnails(store, "00aa", []) == []
    assert read_thumbnails(store, "00aa", [kept().index("0006")]) == [None]


@pytest.mark.usefixtures("run")
def test_thumbnails_by_image(store: RunStore) -> None:
    wanted = ["0120", "0003", "0009", "0006", "9999", "0000"]
    assert load_thumbnails(store, "00aa", wanted) == {name: picture(name) for name in ("0000", "0003", "0120")}
    assert load_thumbnails(store, "00aa", []) == {}


@pytest.mark.usefixtures("run")
def test_pictures_that_are_near_each_other_are_one_request(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    map_results(store, "00aa")
    requests: list[tuple[str, int]] = []
    read_range = store.storage.read_range

    def count(name: str, start: int, length: int) -> bytes:
        requests.append((name, length))
        return read_range(name, start, length)

    monkeypatch.setattr(store.storage, "read_range", count)
    wanted = [name for name in kept() if has_picture(name)]
    assert load_thumbnails(store, "00aa", wanted) == {name: picture(name) for name in wanted}
    assert len({name for name, _ in requests}) == len(requests) == 3
    monkeypatch.setattr(thumbnails, "_LONGEST_BYTES", 1000)
    requests.clear()
    assert load_thumbnails(store, "00aa", wanted) == {name: picture(name) for name in wanted}
    assert len(requests) > 20
    assert max(length for _, length in requests) <= 1000


@pytest.mark.usefixtures("run")
def test_rows_with_heavy_columns(store: RunStore) -> None:
    found = load_rows(store, "00aa", ["0130", "0002", "9999", "0009"], ["scores", "pixels"])
    assert found.to_pylist() == [
        {"image_id": "0002", "scores": [0.25, 0.25], "pixels": b"0002"},
        {"image_id": "0130", "scores": [0.25, 16.25], "pixels": b"0130"},
    ]
    assert load_rows(store, "00aa", [], ["scores"]).column_names == ["image_id", "scores"]


@pytest.mark.usefixtures("run")
def test_only_the_row_groups_of_the_rows_are_read(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    map_results(store, "00aa")
    groups: list[list[int]] = []
    read = pq.ParquetFile.read_row_groups

    def count(file: pq.ParquetFile, row_groups: list[int], **options: Any) -> pa.Table:
        groups.append(row_groups)
        return read(file, row_groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", count)
    load_rows(store, "00aa", ["0066", "0068"], ["pixels"])
    assert groups == [[1]]


def test_labels_that_several_classes_share_are_told_apart(store: RunStore) -> None:
    store.write_classes("00aa", [ClassName("n1", "crane"), ClassName("n2", "crane")])
    row = {"image_id": "1", "status": "ok", "class_id": "n2", "label": "crane"}
    write_rows(store, MANIFEST, [row])
    (label,) = load_results(store, "00aa")["label"].to_pylist()
    assert label != "crane"
    assert map_results(store, "00aa").equals(load_results(store, "00aa"), check_metadata=True)
    assert read_parts(store, "00aa", ["label"])["label"].to_pylist() == ["crane"]


def test_a_run_without_rows_has_the_schema(store: RunStore) -> None:
    write_rows(store, MANIFEST, [])
    assert load_results(store, "00aa").schema.equals(light_schema())
    assert map_results(store, "00aa").schema.equals(light_schema())
    assert read_parts(store, "00aa", result_schema().names).schema.equals(result_schema())


def test_a_run_that_is_not_there(store: RunStore) -> None:
    assert read_parts(store, "00aa", ["image_id"]).num_rows == 0
    for read in (load_results, map_results):
        with pytest.raises(RunNotFoundError, match="received '00aa'"):
            read(store, "00aa")


@pytest.mark.usefixtures("run")
def test_a_run_that_lacks_files_is_said(store: RunStore) -> None:
    map_results(store, "00aa")
    for entry in store.storage.list("runs/00aa/plan/results"):
        store.storage.delete(entry.name)
    for read in (lambda: read_thumbnails(store, "00aa", [0]), lambda: load_rows(store, "00aa", ["0000"], ["pixels"])):
        with pytest.raises(RunFailedError, match=r"^Expected runs/00aa/plan/results/.* found none"):
            read()


@pytest.mark.usefixtures("run")
def test_a_run_that_lacks_columns_is_not_taken_for_a_smaller_one(store: RunStore) -> None:
    store.storage.delete(columns_name("00aa", 0))
    for read in (load_results, map_results):
        with pytest.raises(RunFailedError, match=r"^Expected 135 rows in .*/runs/00aa/columns, found 0\."):
            read(store, "00aa")
    assert not (store.state / "mapped").exists() or not list((store.state / "mapped").iterdir())


def test_a_run_without_its_table_of_files_is_said(store: RunStore) -> None:
    write_rows(store, MANIFEST, rows_of(IDS[:3]))
    store.storage.delete(files_name("00aa"))
    with pytest.raises(RunFailedError, match=r"^Expected runs/00aa/files.parquet in .*, found none"):
        read_thumbnails(store, "00aa", [0])


class TestVersion01:
    """A run of version 0.1: no places, no `version`, rows in the order of the parts."""

    @pytest.fixture(autouse=True)
    def _run(self, store: RunStore) -> None:
        rows = [row for row in rows_of(IDS[:30]) if row["status"] != "excluded"]
        rows = [{name: value for name, value in row.items() if name not in KEEP} for row in rows]
        write_0_1_run(store, MANIFEST, rows[20:], rows[:20])

    def test_its_rows(self, store: RunStore) -> None:
        assert store.runs()[0].version == 1
        names = [name for name in kept() if name in IDS[:30]]
        table = load_results(store, "00aa")
        assert table["image_id"].to_pylist() == [*names[20:], *names[:20]]
        assert table.schema.equals(light_schema())
        assert table["version"].null_count == len(names)
        assert map_results(store, "00aa").equals(table)
        assert map_columns(store, "00aa")["row_group"].to_pylist()[:5] == [0, 0, 1, 1, 2]

    def test_its_pictures(self, store: RunStore) -> None:
        names = map_results(store, "00aa")["image_id"].to_pylist()
        assert read_thumbnails(store, "00aa", [20, 0, 26, 20]) == [
            picture(names[row]) if has_picture(names[row]) else None for row in (20, 0, 26, 20)
        ]
        assert load_thumbnails(store, "00aa", ["0028", "0000", "0006"]) == {
            "0028": picture("0028"), "0000": picture("0000"),
        }  # fmt: skip
        assert load_rows(store, "00aa", ["0028"], ["file_name", "scores"]).to_pylist() == [
            {"image_id": "0028", "file_name": "0028.jpg", "scores": None}
        ]

    def test_it_can_be_deleted(self, store: RunStore) -> None:
        store.delete("00aa")
        assert list(store.storage.list("runs")) == []


def test_the_classes_of_a_run_of_0_1_are_guessed_from_all_its_rows(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    shared = {"class_id": "n02012849", "label": "crane"}
    write_0_1_run(store, MANIFEST, [{"image_id": "1", "status": "ok", **shared}], [{"image_id": "2", "status": "ok"}])
    (label, _) = load_results(store, "00aa")["label"].to_pylist()
    assert label != "crane"
