"""Files of this machine that nobody needs."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.config import RunConfig
from sparkcore.origins import origin_of
from sparkcore.runs import deletion
from sparkcore.runs.garbage import YOUNG_S, remove_all
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.layout import manifest_name, plan_name
from sparkcore.runs.lists import write_list
from sparkcore.runs.local_garbage import MODEL_UNUSED_S, local_garbage
from sparkcore.runs.manifests import forget_manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.planned_run import unfinish, write_planned_run
from tests.runs_fixture import write_run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a cache of models that no other test uses."""
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def local(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "store")


def collect(store: RunStore) -> set[tuple[str, str]]:
    removed = list(remove_all(local_garbage(store)))
    assert not any(reason for _, reason in removed)
    assert list(local_garbage(store)) == []
    return {(one.kind, Path(one.name).name) for one, _ in removed}


def write(path: Path, age_s: float = YOUNG_S + 60) -> Path:
    """Write a file of some age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"content")
    then = time.time() - age_s
    for one in (path, path.parent):
        os.utime(one, (then, then))
    return path


def test_unfinished_files_are_removed_after_a_day(store: RunStore, cache: Path) -> None:
    names = [f".{name}.123-0123abcd" for name in ("a.parquet", "b.json", "c.arrow", "d.pb")]
    write(store.state / "trash" / names[1])
    write(store.state / "mapped" / names[2])
    write(cache / names[3])
    young = write(store.state / "locks" / names[0], YOUNG_S - 60)
    foreign = write(store.state / "photos" / names[0])
    assert collect(store) == {("unfinished file", name) for name in names[1:]}
    assert young.is_file()
    assert foreign.is_file()


def test_unfinished_part_files_of_a_local_store_are_removed(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "state")  # a folder of the user's may have one of our names
    plan = write_planned_run(store, rows=5)
    name = ".000000-ab.parquet.123-0123abcd"
    write(tmp_path / "runs" / plan.folder.path / "results" / name)
    foreign = write(tmp_path / "runs" / "photos" / name)
    assert collect(store) == {("unfinished file", name)}
    assert foreign.is_file()


def test_trash_and_interrupted_deletions_are_ended(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = write_planned_run(store, rows=45)
    other = write_run(store, rows=5, day=1)
    (trash := store.state / "trash").mkdir(parents=True, exist_ok=True)
    (trash / "foreign-1.json").write_text(json.dumps({"store": "s3://another", "versions": {}}))
    with monkeypatch.context() as patch:
        patch.setattr(deletion, "_delete_all", lambda *_: None)  # killed in between
        patch.setattr(deletion, "_move", lambda *_: False)
        store.delete(plan.run_id)
    left = sum(entry.size_bytes for entry in store.storage.list(f"runs/{plan.run_id}"))
    assert left > 10_000
    assert [one.size_bytes for one in local_garbage(store)] == [left]
    assert {kind for kind, _ in collect(store)} == {"interrupted deletion"}
    assert {entry.name.split("/")[1] for entry in store.storage.list("runs")} == {other}
    assert [path.name for path in trash.iterdir()] == ["foreign-1.json"]


def test_the_trash_of_a_local_store_is_emptied(local: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = write_run(local, rows=5)
    size_bytes = local.size_bytes(run_id)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        local.delete(run_id)
    assert [one.size_bytes for one in local_garbage(local)] == [size_bytes]
    assert {kind for kind, _ in collect(local)} == {"interrupted deletion"}
    assert list((local.state / "trash").iterdir()) == []


def test_mapped_tables_of_deleted_runs_are_removed(store: RunStore) -> None:
    kept, gone = write_run(store, rows=5), write_run(store, rows=6)
    for run_id in (kept, gone):
        map_results(store, run_id)
    store.delete(gone)
    (removed,) = collect(store)
    assert removed[0] == "mapped table of a deleted run"
    assert removed[1].startswith(gone)
    assert [path.name.partition("-")[0] for path in (store.state / "mapped").glob("*.arrow")] == [kept]


def test_stop_flags_and_spilled_listings_are_removed_after_a_day(local: RunStore) -> None:
    write(local.state / "stops" / "old")
    write(local.state / "stops" / "young", YOUNG_S - 60)
    write(local.state / "listings" / "old" / "00")
    write(local.state / "listings" / "young" / "00", YOUNG_S - 60)
    assert collect(local) == {("stop flag", "old"), ("spilled listing", "old")}


def test_models_that_nobody_used_for_long_are_removed(local: RunStore, cache: Path) -> None:
    for digest, age_s in (("a" * 64, MODEL_UNUSED_S + 60), ("b" * 64, MODEL_UNUSED_S - 60)):
        write(cache / f"{digest}.pb", MODEL_UNUSED_S + 60)
        write(cache / f"{digest}.json", age_s)
    write(cache / "spark-4.jsa", MODEL_UNUSED_S + 60)
    write(cache / "offline", MODEL_UNUSED_S + 60)
    assert collect(local) == {("unused model", f"{'a' * 64}.pb"), ("unused model", f"{'a' * 64}.json")}


def upload(store: RunStore, name: str, age_s: float = YOUNG_S + 60) -> str:
    return str(write(store.state / "uploads" / name / "picture.png", age_s).parent)


def test_uploads_that_neither_a_run_nor_a_job_uses_are_removed(store: RunStore) -> None:
    write_run(store, rows=5, images=upload(store, "of-a-run"))
    table = JobTable(store.jobs_path)
    job = table.submit(RunConfig(images=f"{upload(store, 'of-a-job')}/*.png"))
    table.finish(job.job_id, "cancelled")
    unfinished = write_planned_run(store, rows=5, images=upload(store, "of-an-unfinished-run"))
    unfinish(store, unfinished.run_id)
    upload(store, "young", YOUNG_S - 60)
    upload(store, "unused")
    upload(store, ".0123abcd")  # of a killed process
    listed = write_list(store, pa.chunked_array([[f"{origin_of(upload(store, 'of-a-list'))}/picture.png"]]), "Upload")
    write_run(store, rows=6, images=f"@{write(listed)}")
    listed.write_text(f"{origin_of(store.state / 'uploads' / 'of-a-list')}/picture.png")
    write(store.state / "lists" / "unused" / "1 picture of photos.txt")
    assert collect(store) == {("unused upload", "unused"), ("unused upload", ".0123abcd"), ("unused list", "unused")}


@pytest.mark.parametrize("damaged", [manifest_name, plan_name])
def test_no_upload_is_removed_where_a_run_does_not_tell_what_it_uses(store: RunStore, damaged: object) -> None:
    plan = write_planned_run(store, rows=5)
    assert callable(damaged)
    if damaged is plan_name:
        unfinish(store, plan.run_id)
    store.storage.write(damaged(plan.run_id), b"{")
    forget_manifest(store.storage, plan.run_id)
    upload(store, "unused")
    assert collect(store) == set()
