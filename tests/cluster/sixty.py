"""Sixty pictures, damaged ones among them, and what every run must make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparkcore.runs.files_table import read_files
from sparkcore.runs.plan import read_plan
from sparkcore.runs.receipts import ReceiptBoard
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run
from sparkcore.schema import result_schema
from sparkcore.storage.interface import Storage
from tests.conftest import write_colors
from tests.imaging.pictures import write_awkward_folder

IMAGES = 60
KEPT = ("scores", "resized", "pixels")
SETTINGS = ("--top-k", "3", "--truth", "filename", "--keep", ",".join(KEPT))
# What differs where the same picture lies elsewhere.
PLACE_COLUMNS = frozenset({"image_id", "origin", "version", "modified_at"})
_TOLERANCE = 1e-5

Rows = dict[str, dict[str, Any]]  # by file name


def write_sixty(folder: Path) -> Path:
    """Write the pictures, whose file names differ, into a folder and return it."""
    awkward = write_awkward_folder(folder)
    write_colors(folder, IMAGES - len(awkward))
    return folder


def upload(folder: Path, storage: Storage) -> None:
    """Write the files of a folder into a storage."""
    for path in folder.iterdir():
        storage.write(path.name, path.read_bytes())


def rows_of(store: str | Path, run_id: str) -> Rows:
    """Return the rows of a finished run, every column, once its files are found to be in order."""
    found = RunStore(str(store))
    rows = read_parts(found, run_id, result_schema(KEPT).names).to_pylist()
    assert verify_run(found.storage, run_id).problems == ()
    assert len(rows) == len({row["image_id"] for row in rows}) == IMAGES
    return {row["file_name"]: row for row in rows}


def assert_same(found: Rows, expected: Rows) -> None:
    """Compare runs over pictures in different places: scores may differ by 1e-5, labels where two are as close."""
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        close = row["margin"] is not None and row["margin"] <= _TOLERANCE
        left_out = PLACE_COLUMNS | ({"class_id", "label", "top"} if close else frozenset())
        ours, theirs = (_flat({k: v for k, v in r.items() if k not in left_out}) for r in (found[name], row))
        assert ours.keys() == theirs.keys(), name
        for key, value in theirs.items():
            if isinstance(value, float):
                assert abs(ours[key] - value) <= _TOLERANCE, (name, key)
            else:
                assert ours[key] == value, (name, key)


def receipts_of(store: str | Path, run_id: str) -> ReceiptBoard:
    """Return the receipts that a run has so far; it needs a plan."""
    storage = RunStore(str(store)).storage
    plan = read_plan(storage, run_id)
    assert plan is not None, "the run has no plan"
    board = ReceiptBoard(storage, plan)
    board.poll()
    return board


def orphans(store: str | Path, run_id: str) -> set[str]:
    """Return the part files and listings of a finished run that belong to no receipt and to no plan."""
    storage = RunStore(str(store)).storage
    plan = read_plan(storage, run_id)
    assert plan is not None
    used = {part.name for part in read_files(storage, run_id)}
    used |= {plan.folder.listing(number) for number in range(len(plan.listing_bytes))}
    written = {entry.name for entry in storage.list(f"runs/{run_id}")}
    return {name for name in written - used if "/results/" in name or "/listing/" in name}


def _flat(value: object, name: str = "") -> dict[str, object]:
    """Return the leaves of nested lists and structs by their paths."""
    if isinstance(value, dict):
        return {k: v for key, one in value.items() for k, v in _flat(one, f"{name}.{key}").items()}
    if isinstance(value, list):
        return {k: v for key, one in enumerate(value) for k, v in _flat(one, f"{name}[{key}]").items()}
    return {name: value}
