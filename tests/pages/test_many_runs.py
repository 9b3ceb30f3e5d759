"""With many runs and jobs, a page reads no more than with a few."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pages.components.frame import PAGES
from sparkcore.config import RunConfig
from sparkcore.runs import jobs, manifests
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.store import RunStore
from sparkcore.storage.folder import FolderStorage
from tests.pages.conftest import OpenPage, ask
from tests.runs_fixture import write_run


def add_jobs(store: RunStore, count: int) -> None:
    """Add jobs that have ended."""
    JobTable(store.jobs_path).submit(RunConfig(images="/photos", model="efficientnet_lite0"))
    config = json.dumps(RunConfig(images="/photos", model="efficientnet_lite0").to_dict())
    with closing(sqlite3.connect(store.jobs_path)) as db, db:
        db.executemany(
            "INSERT INTO jobs (job_id, request, config, retry_failed, state, created_at) VALUES (?, '', ?, 0, ?, ?)",
            [(f"{count}-{number}", config, "complete", count + number) for number in range(count)],
        )


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count the files that are read, the folders that are searched, and the jobs and manifests that are parsed."""
    work: Counter[str] = Counter()
    places = [(FolderStorage, "read"), (FolderStorage, "list"), (FolderStorage, "open_reader")]
    with monkeypatch.context() as patch:
        for place, name in (*places, (jobs, "_job"), (manifests, "read_manifest")):
            patch.setattr(place, name, _counting(getattr(place, name), work))
        yield work


def _counting(function, work):  # noqa: ANN001, ANN202
    def count(*arguments, **named):  # noqa: ANN002, ANN003, ANN202
        work[function.__name__] += 1
        return function(*arguments, **named)

    return count


def test_a_page_reads_no_more(store: RunStore, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(store, rows=12, day=99)
    for day in range(11):  # Image shows ten other runs, however many there are
        write_run(store, rows=4, day=day)
    add_jobs(store, 40)
    apps = {page: open_page(page, run=run, queue="disagree") for page in PAGES}

    def reads(page: str) -> Counter[str]:
        ask(apps[page], {"run": run, "queue": "disagree"})  # what is new is looked at once
        with counted(monkeypatch) as work:
            ask(apps[page], {"run": run, "queue": "disagree"})
        return work

    few = {page: reads(page) for page in PAGES}
    for day in range(11, 24):
        write_run(store, rows=4, day=day)
    add_jobs(store, 2000)
    assert {page: reads(page) for page in PAGES} == few
    assert few["gallery"]["read"] > 0
    assert few["run"]["_job"] > 0


def test_one_run_is_found_without_reading_the_others(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [write_run(store, rows=2, day=day) for day in range(12)]
    with counted(monkeypatch) as work:
        assert RunStore(store.uri).find(ids[3][:10]).run_id == ids[3]
    assert work["read"] == 1
