from __future__ import annotations

from dataclasses import replace

import pytest

from sparkcore.runs.layout import plan_name
from sparkcore.runs.store import RunStore
from sparkcore.runs.unfinished import UnfinishedRun, unfinished_runs
from tests.planned_run import unfinish, write_planned_run


def test_unfinished_runs_say_how_far_they_are(store: RunStore) -> None:
    write_planned_run(store, rows=3)
    plan = write_planned_run(store, rows=45, day=1, images="/photos/a b")
    started = write_planned_run(store, rows=45, day=2)
    for one, planned_at in ((plan, "2026-02-01"), (started, "2026-02-02")):
        unfinish(store, one.run_id)
        store.storage.write(plan_name(one.run_id), replace(one, created_at=planned_at).to_bytes())
    store.storage.delete(plan.folder.receipt(1))
    for bucket in range(3):
        store.storage.delete(started.folder.receipt(bucket))
    assert unfinished_runs(store) == [
        UnfinishedRun(started.run_id, 0, 45, "2026-02-02", "/photos"),
        UnfinishedRun(plan.run_id, 25, 45, "2026-02-01", "/photos/a b"),
    ]


@pytest.mark.parametrize("images", ["s3://bucket/a b", "ftp://host/photos"])
def test_the_folder_of_a_uri_is_one(store: RunStore, images: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.runs_fixture.origin_of", lambda path: str(path).replace(" ", "%20"))
    plan = write_planned_run(store, rows=20, images=images)
    unfinish(store, plan.run_id)
    assert [run.folder for run in unfinished_runs(store)] == [images.replace(" ", "%20")]


def test_a_damaged_plan_leaves_the_id(store: RunStore) -> None:
    store.storage.write(plan_name("00aa"), b"{")
    assert unfinished_runs(store) == [UnfinishedRun("00aa", 0, 0, "", "")]
