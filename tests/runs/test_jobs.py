from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from sparkcore.config import RunConfig
from sparkcore.errors import ConfigError, RunNotFoundError
from sparkcore.runs.jobs import Job, JobTable


@pytest.fixture
def table(tmp_path: Path) -> JobTable:
    return JobTable(tmp_path / "store" / "jobs.sqlite")


def test_a_job_comes_back_as_it_was_submitted(table: JobTable) -> None:
    config = RunConfig(images="/a b/ü", model="resnet50", keep=("scores",), sample=5)
    job = table.submit(config, retry_failed=True)
    assert (job.config, job.retry_failed, job.state, job.active) == (config, True, "queued", True)
    assert table.get(job.job_id) == job


def test_a_password_is_refused_because_jobs_are_kept_on_disk(table: JobTable) -> None:
    with pytest.raises(ConfigError) as caught:
        table.submit(RunConfig(images="ftp://user:se-cret@host/photos"))
    assert str(caught.value) == (
        "images: expected an address without a password, received 'ftp://user@host/photos' with one, and jobs are kept "
        "on disk. Start this run from the shell, with `sparkcore run`."
    )
    assert table.jobs() == []


def test_equal_requests_share_a_job_while_it_is_active(table: JobTable) -> None:
    config = RunConfig(images="x")
    first = table.submit(config)
    assert table.submit(config).job_id == first.job_id
    assert table.submit(config, retry_failed=True).job_id != first.job_id
    table.finish(first.job_id, "complete", run_id="r")
    assert table.submit(config).job_id != first.job_id


def test_a_job_that_is_being_cancelled_is_not_joined(table: JobTable) -> None:
    config = RunConfig(images="x")
    first = table.submit(config)
    table.claim()
    assert table.request_cancel(first.job_id).cancel_requested
    assert table.submit(config).job_id != first.job_id


def test_jobs_are_claimed_once_and_in_order(table: JobTable) -> None:
    submitted = [table.submit(RunConfig(images=str(n))).job_id for n in range(20)]
    claimed: list[str] = []

    def work() -> None:
        while (job := table.claim()) is not None:
            claimed.append(job.job_id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(claimed) == sorted(submitted)
    assert table.get(submitted[0]).started_at is not None


def test_one_row_for_many_submitters(table: JobTable) -> None:
    jobs: list[Job] = []
    threads = [threading.Thread(target=lambda: jobs.append(table.submit(RunConfig(images="x")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({job.job_id for job in jobs}) == 1
    assert len(table.jobs()) == 1


def test_progress_speed_and_eta(table: JobTable) -> None:
    job = table.submit(RunConfig(images="x"))
    assert job.eta_s() is None
    table.claim()
    table.report(job.job_id, phase="classifying", done=30, done_before=10, total=110, errors=1, classifying_at=100.0)
    now = table.get(job.job_id)
    assert (now.phase, now.done, now.total, now.errors) == ("classifying", 30, 110, 1)
    assert now.images_per_second(now=110.0) == pytest.approx(2.0)
    assert now.eta_s(now=110.0) == pytest.approx(40.0)
    table.finish(job.job_id, "failed", message="no disk")
    assert table.get(job.job_id).eta_s() is None
    assert table.get(job.job_id).message == "no disk"


def test_cancel_before_and_while_running(table: JobTable) -> None:
    waiting, running = table.submit(RunConfig(images="1")), table.submit(RunConfig(images="2"))
    assert table.request_cancel(waiting.job_id).state == "cancelled"
    assert table.claim().job_id == running.job_id  # type: ignore[union-attr]
    asked = table.request_cancel(running.job_id)
    assert (asked.state, asked.cancel_requested) == ("running", True)
    table.report(running.job_id, done=1)
    assert table.get(running.job_id).cancel_requested


def test_a_job_that_is_being_cancelled_has_no_remaining_time(table: JobTable) -> None:
    job = table.submit(RunConfig(images="/a"))
    table.claim()
    table.report(job.job_id, done=10, total=100, classifying_at=100.0)
    assert table.get(job.job_id).eta_s(now=110.0) == pytest.approx(90)
    assert table.request_cancel(job.job_id).eta_s(now=110.0) is None


def test_a_clock_that_is_set_back_loses_no_job(table: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    first = table.submit(RunConfig(images="/a"))
    table.report(first.job_id, done=10, total=100, classifying_at=time.time())
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    second = table.submit(RunConfig(images="/b"))
    assert [job.job_id for job in table.jobs()] == [second.job_id, first.job_id]
    assert [job.job_id for job in (table.claim(), table.claim()) if job] == [first.job_id, second.job_id]
    assert table.get(first.job_id).images_per_second() is None
    assert table.get(first.job_id).eta_s() is None
    table.finish(first.job_id, "complete", run_id="0" * 16)
    assert table.requeue_orphans() == 1


def test_orphans_are_requeued_unless_cancelled(table: JobTable) -> None:
    first, second = table.submit(RunConfig(images="1")), table.submit(RunConfig(images="2"))
    table.claim()
    table.claim()
    table.request_cancel(second.job_id)
    assert table.requeue_orphans() == 1
    assert [table.get(j.job_id).state for j in (first, second)] == ["queued", "cancelled"]


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"images": "x", "mood": "sunny"}', '{"images": "x", "top_k": 0}'])
def test_a_damaged_row_stops_nothing(table: JobTable, caplog: pytest.LogCaptureFixture, config: str) -> None:
    damaged, good = (table.submit(RunConfig(images=name)).job_id for name in ("x", "y"))
    with sqlite3.connect(table.path) as db:
        db.execute("UPDATE jobs SET config = ? WHERE job_id = ?", (config, damaged))
    assert [job.job_id for job in table.jobs()] == [good]
    assert f"received {damaged}: " in caplog.text
    claimed = table.claim()
    assert claimed is not None
    assert claimed.job_id == good
    assert table.claim() is None
    with sqlite3.connect(table.path) as db:
        state, message = db.execute("SELECT state, message FROM jobs WHERE job_id = ?", (damaged,)).fetchone()
    assert (state, "Submit it again." in message) == ("failed", True)


def test_newest_first_and_unknown(table: JobTable) -> None:
    ids = [table.submit(RunConfig(images=str(n))).job_id for n in range(3)]
    assert [job.job_id for job in table.jobs(limit=2)] == [ids[2], ids[1]]
    with pytest.raises(RunNotFoundError):
        table.get("nope")


def test_a_table_of_version_0_1_is_brought_up_to_date(tmp_path: Path):
    table = JobTable(tmp_path / "jobs.sqlite")
    table.submit(RunConfig(images="x"))
    with sqlite3.connect(table.path) as db:
        db.execute("ALTER TABLE jobs DROP COLUMN roots")
    (old,) = table.jobs()
    assert old.roots is None
    assert table.get(old.job_id) == old
    assert table.submit(RunConfig(images="y"), roots=[tmp_path]).roots == (tmp_path,)


def test_a_job_that_is_put_back_while_it_is_cancelled_does_not_wait(tmp_path: Path) -> None:
    table = JobTable(tmp_path / "jobs.sqlite")
    job = table.submit(RunConfig(images="/photos"))
    table.claim()
    table.request_cancel(job.job_id)
    table.put_back(job.job_id, images=501)
    ended = table.get(job.job_id)
    assert (ended.state, ended.images) == ("cancelled", 501)
    assert ended.finished_at is not None
