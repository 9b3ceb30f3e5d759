from __future__ import annotations

import sqlite3

import pytest

from pages.components.frame import PAGES
from sparkcore.config import RunConfig
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage
from tests.read_only import read_only
from tests.runs_fixture import write_run


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_page_opens_over_a_read_only_store(store: RunStore, open_page: OpenPage, page: str):
    write_run(store, rows=12)
    write_run(store, rows=12, day=1, shift=1)
    with read_only(store.state):
        app = open_page(page)
    assert app.title[0].value == PAGES[page][0]
    assert [error.value for error in app.error] == []


def test_jobs_of_version_0_1_are_read_from_a_read_only_store(store: RunStore, open_page: OpenPage):
    table = JobTable(store.jobs_path)
    table.finish(table.submit(RunConfig(images="/photos")).job_id, "cancelled")
    with sqlite3.connect(table.path) as db:
        db.execute("ALTER TABLE jobs DROP COLUMN roots")
    with read_only(store.state):
        app = open_page("run")
    assert any("cancelled, finished images are kept" in said.value for said in app.markdown)
