"""What no run names is removed, and nothing else."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from sparkcore.runs import garbage
from sparkcore.runs.garbage import Garbage, remove_all, store_garbage
from sparkcore.runs.layout import PlanFolder, files_name, plan_name, recipe_name
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run
from sparkcore.storage.folder import FolderStorage
from tests.planned_run import unfinish, write_planned_run
from tests.runs_fixture import write_0_1_run, write_run


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything that a test writes be older than a day."""
    monkeypatch.setattr(garbage, "time", SimpleNamespace(time=lambda: time.time() + garbage.YOUNG_S + 60))


def collect(store: RunStore) -> set[tuple[str, str]]:
    """Remove the garbage and return its kinds and names."""
    removed = list(remove_all(store_garbage(store)))
    assert not any(reason for _, reason in removed)
    assert list(store_garbage(store)) == []
    return {(one.kind, one.name) for one, _ in removed}


def names(store: RunStore) -> set[str]:
    return {entry.name for folder in ("runs", "recipes", "probes") for entry in store.storage.list(folder)}


def test_orphans_of_a_finished_run_are_removed_at_once(store: RunStore) -> None:
    plan = write_planned_run(store, rows=45)
    before = names(store)
    other = PlanFolder(plan.run_id, "other")
    orphans = {
        plan.folder.new_part(0), plan.folder.listing(7), plan.folder.receipt(300), other.listing(0), other.receipt(0),
        other.new_part(0),
    }  # fmt: skip
    for name in orphans:
        store.storage.write(name, b"orphan")
    kept = {f"runs/{plan.run_id}/derived/map.parquet", f"runs/{plan.run_id}/unknown"}
    for name in kept:
        store.storage.write(name, b"kept")
    assert {one.size_bytes for one in store_garbage(store)} == {len(b"orphan")}
    assert collect(store) == {("orphan", name) for name in orphans}
    assert names(store) == before | kept
    assert verify_run(store.storage, plan.run_id).problems == ()
    if isinstance(store.storage, FolderStorage):
        folders, _ = store.storage.list_folder(f"runs/{plan.run_id}")
        assert f"runs/{plan.run_id}/other" not in folders


@pytest.mark.usefixtures("tomorrow")
def test_no_file_of_finished_runs_is_garbage_at_any_age(store: RunStore) -> None:
    write_planned_run(store, rows=45)
    write_0_1_run(store, store.manifest(write_run(store, rows=3, day=1)), [], [])
    before = names(store)
    assert collect(store) == set()
    assert names(store) == before


def test_what_is_young_in_an_unfinished_run_is_left_alone(store: RunStore) -> None:
    plan = write_planned_run(store, rows=45)
    unfinish(store, plan.run_id)
    store.storage.write(plan.folder.new_part(0), b"")
    store.storage.write("runs/listed/word/listing/00000.parquet", b"")
    store.storage.write("probes/1", b"")
    assert collect(store) == set()


@pytest.mark.usefixtures("tomorrow")
def test_old_orphans_of_unfinished_runs_are_removed(store: RunStore) -> None:
    plan = write_planned_run(store, rows=45)
    unfinish(store, plan.run_id)
    before = names(store)
    part, listing, listed = (
        plan.folder.new_part(0),
        PlanFolder(plan.run_id, "other").listing(0),
        "runs/listed/word/listing/00000.parquet",
    )
    for name in (part, listing, listed):
        store.storage.write(name, b"")
    assert collect(store) == {("orphan", part), ("orphan", listing), ("orphan", listed)}
    assert names(store) == before
    if isinstance(store.storage, FolderStorage):
        assert store.run_ids() == [plan.run_id]


@pytest.mark.usefixtures("tomorrow")
def test_probes_and_recipes_of_deleted_runs_are_removed(store: RunStore) -> None:
    plan = write_planned_run(store, rows=45)
    store.storage.write("probes/1", b"1")
    store.storage.write(recipe_name("a", "gone"), b"")
    before = names(store)
    assert collect(store) == {("probe", "probes/1"), ("recipe of a deleted run", "recipes/a/gone")}
    assert before - names(store) == {"probes/1", "recipes/a/gone"}
    assert recipe_name(plan.recipe_id, plan.run_id) in names(store)


@pytest.mark.parametrize("damaged", ["manifest.json", "plan.json", "files.parquet", "plan/receipts/0000/000001.json"])
@pytest.mark.usefixtures("tomorrow")
def test_a_damaged_run_is_left_alone(store: RunStore, damaged: str, caplog: pytest.LogCaptureFixture) -> None:
    plan = write_planned_run(store, rows=45)
    store.storage.write(f"runs/{plan.run_id}/{damaged}", b"{")
    store.storage.write(plan.folder.new_part(0), b"")
    assert collect(store) == set()
    assert f"Left run {plan.run_id} alone" in caplog.text


@pytest.mark.parametrize("lost", [plan_name, files_name])
@pytest.mark.usefixtures("tomorrow")
def test_a_run_that_lost_what_names_its_files_is_left_alone(store: RunStore, lost: object) -> None:
    plan = write_planned_run(store, rows=45)
    assert callable(lost)
    store.storage.delete(lost(plan.run_id))
    store.storage.write(plan.folder.new_part(0), b"")
    assert collect(store) == set()


def test_an_orphan_is_kept_when_its_run_was_deleted_meanwhile(store: RunStore) -> None:
    plan = write_planned_run(store, rows=45)
    listing = PlanFolder(plan.run_id, "other").listing(0)
    store.storage.write(listing, b"")
    found = list(store_garbage(store))
    unfinish(store, plan.run_id)  # whose listing is now that of a run in progress
    assert [reason for _, reason in remove_all(found)] == [""]
    assert listing in names(store)


def test_what_cannot_be_removed_is_said_and_does_not_stop_the_rest() -> None:
    removed: list[str] = []

    def refuse() -> None:
        raise PermissionError("not yours")

    found = [Garbage("probe", "a", 1, refuse), Garbage("probe", "b", 1, lambda: removed.append("b"))]
    assert [(one.name, reason) for one, reason in remove_all(found)] == [("a", "not yours"), ("b", "")]
    assert removed == ["b"]
