"""The places of an engine: progress, cancellation, and which jobs are quick looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.place import QUICK_IMAGES, Place, Places, _NotQuickError, _Reporter
from sparkcore.errors import RunCancelledError, RunFailedError
from sparkcore.progress import Step
from sparkcore.runs.jobs import JobTable
from tests.conftest import wait_until
from tests.read_only import read_only


@pytest.fixture
def reporter(tmp_path: Path) -> _Reporter:
    table = JobTable(tmp_path / "jobs.sqlite")
    table.submit(RunConfig(images="/photos"))
    job = table.claim()
    assert job is not None
    no_spark: Any = None
    return _Reporter(Place(Places(EngineConfig(store=tmp_path), table, no_spark), is_quick=False), job)


def test_images_are_counted_and_bytes_are_part_of_the_phase(reporter: _Reporter) -> None:
    table, job_id = reporter.place.places.table, reporter.job.job_id
    reporter.progress(Step("downloading the weights of resnet50", 34_000_000, 102_900_000, unit="bytes"))
    job = table.get(job_id)
    assert (job.phase, job.done, job.total) == ("downloading the weights of resnet50, 34 of 103 MB", 0, 0)
    reporter.progress(Step("classifying", 3, 10, errors=1))
    job = table.get(job_id)
    assert (job.phase, job.done, job.total, job.errors) == ("classifying", 3, 10, 1)


def test_cancellation_reaches_a_running_job(reporter: _Reporter) -> None:
    reporter.place.places.table.request_cancel(reporter.job.job_id)
    with pytest.raises(RunCancelledError):
        reporter.check()


def test_the_quick_place_refuses_long_jobs_and_lets_the_long_run_give_way(reporter: _Reporter) -> None:
    places = reporter.place.places
    reporter.listed(QUICK_IMAGES + 1)  # the place for any job takes any number
    quick = _Reporter(Place(places, is_quick=True), reporter.job)
    with pytest.raises(_NotQuickError) as refused:
        quick.listed(QUICK_IMAGES + 1)
    assert refused.value.images == QUICK_IMAGES + 1
    assert not reporter.must_pause()
    quick.listed(QUICK_IMAGES)
    assert reporter.must_pause()
    assert not quick.must_pause()


def test_a_job_that_is_no_quick_look_waits_for_the_other_place(reporter: _Reporter) -> None:
    table = reporter.place.places.table
    table.put_back(reporter.job.job_id, images=QUICK_IMAGES + 1)
    assert table.claim(QUICK_IMAGES) is None
    claimed = table.claim()
    assert claimed is not None
    assert (claimed.job_id, claimed.images) == (reporter.job.job_id, QUICK_IMAGES + 1)


def test_a_place_goes_on_when_the_job_table_can_be_written_again(
    tmp_path: Path, request_for: Callable[..., RunConfig], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("sparkcore.engine.place._RETRY_S", 0.05)
    monkeypatch.setattr("sparkcore.engine.place.is_alive", lambda _: True)
    table = JobTable(tmp_path / "store" / "jobs.sqlite")
    job = table.submit(request_for(tmp_path / "nowhere"))
    places: Any = Places(EngineConfig(store=tmp_path / "store"), table, None)  # type: ignore[arg-type]
    thread = threading.Thread(target=Place(places, is_quick=False).serve)
    with read_only(tmp_path / "store"):
        thread.start()  # with its own rights, which it keeps
        wait_until(lambda: "no job can be claimed: Expected to write to the job table" in caplog.text)
    wait_until(lambda: table.get(job.job_id).state == "failed")
    assert "there is no such path" in table.get(job.job_id).message
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "finish", fail_twice(table.finish))
        other = table.submit(request_for(tmp_path / "elsewhere"))
        wait_until(lambda: table.get(other.job_id).state == "failed")
    assert caplog.text.count(f"the end of job {other.job_id} is not written yet: The disk is full.") == 2
    places.stopping.set()
    thread.join()


def fail_twice(finish: Callable[..., None]) -> Callable[..., None]:
    """Return the function, which fails at first as on a full disk."""
    left = [2]

    def fail_first(*values: object, **named: object) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise RunFailedError("The disk is full.")
        finish(*values, **named)

    return fail_first
