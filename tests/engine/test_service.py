from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.service import _Loop, _Reporter
from sparkcore.errors import RunCancelledError
from sparkcore.progress import Step
from sparkcore.runs.jobs import JobTable


@pytest.fixture
def reporter(tmp_path: Path) -> _Reporter:
    table = JobTable(tmp_path / "jobs.sqlite")
    table.submit(RunConfig(images="/photos"))
    job = table.claim()
    assert job is not None
    no_spark: Any = None
    return _Reporter(_Loop(EngineConfig(store=tmp_path), table, no_spark), job)


def test_images_are_counted_and_bytes_are_part_of_the_phase(reporter: _Reporter) -> None:
    table, job_id = reporter.loop.table, reporter.job.job_id
    reporter.progress(Step("downloading the weights of resnet50", 34_000_000, 102_900_000, unit="bytes"))
    job = table.get(job_id)
    assert (job.phase, job.done, job.total) == ("downloading the weights of resnet50, 34 of 103 MB", 0, 0)
    reporter.progress(Step("classifying", 3, 10, errors=1))
    job = table.get(job_id)
    assert (job.phase, job.done, job.total, job.errors) == ("classifying", 3, 10, 1)


def test_cancellation_reaches_a_running_job(reporter: _Reporter) -> None:
    reporter.loop.table.request_cancel(reporter.job.job_id)
    with pytest.raises(RunCancelledError):
        reporter.check()
