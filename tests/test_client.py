"""The engine process and the programs that ask it for runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.errors import ConfigError, RunNotFoundError
from sparkcore.runs.jobs import Job, JobTable
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from tests.conftest import write_colors

pytestmark = pytest.mark.slow


@pytest.fixture
def served(engine: EngineConfig) -> Iterator[EngineConfig]:
    """Give an engine config, and end its engine process afterwards."""
    yield engine
    if client.stop_engine(engine):
        _wait(lambda: client.engine_pid(engine) is None)


def _wait(condition: Callable[[], bool], limit_s: float = 240) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def _finished(job: Job, engine: EngineConfig) -> Job:
    _wait(lambda: not client.status(job.job_id, engine).active)
    return client.status(job.job_id, engine)


def test_jobs_from_submit_to_result(
    tmp_path: Path, served: EngineConfig, request_for: Callable[..., RunConfig]
) -> None:
    write_colors(tmp_path / "in", 6)
    request = request_for(tmp_path / "in")
    job, same = client.submit(request, served), client.submit(request, served)
    assert job.active
    assert same.job_id == job.job_id
    done = _finished(job, served)
    assert (done.state, done.done, done.total, done.errors, done.message) == ("complete", 6, 6, 0, "")
    assert done.run_id is not None
    assert read_parts(RunStore(served.store), done.run_id, ["label"]).num_rows == 6
    again = _finished(client.submit(request, served), served)
    assert (again.state, again.run_id) == ("cached", done.run_id)
    wrong = _finished(client.submit(request_for(tmp_path / "nowhere"), served), served)
    assert wrong.state == "failed"
    assert "there is no such path" in wrong.message
    assert [j.job_id for j in client.jobs(served)] == [wrong.job_id, again.job_id, job.job_id]
    assert client.engine_pid(served) is not None
    assert client.start_engine(served) is False


def test_a_job_carries_its_roots_and_absolute_paths(
    tmp_path: Path, engine: EngineConfig, request_for: Callable[..., RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "start_engine", lambda _: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.txt").write_text("a")
    job = client.submit(request_for("photos/*.jpg", labels="labels.txt"), engine, roots=[tmp_path])
    assert job.config.images == f"{tmp_path}/photos/*.jpg"
    assert job.config.labels == f"{tmp_path}/labels.txt"
    assert job.roots == (tmp_path,)
    assert client.submit(request_for("s3a://bucket/x"), engine).config.images == "s3a://bucket/x"
    assert client.submit(request_for("photos", model="resnet50", weights="random:1"), engine).config.model == "resnet50"


def test_a_link_out_of_the_roots_is_not_read(
    tmp_path: Path, served: EngineConfig, request_for: Callable[..., RunConfig]
) -> None:
    write_colors(tmp_path / "root" / "photos", 2)
    write_colors(tmp_path / "secret", 3)
    (tmp_path / "root" / "photos" / "way-out").symlink_to(tmp_path / "secret")
    roots = [tmp_path / "root"]
    done = _finished(client.submit(request_for(tmp_path / "root" / "photos"), served, roots=roots), served)
    counts = RunStore(served.store).manifest(str(done.run_id)).counts
    assert (counts["images"], counts["links_left_out"]) == (2, 1)
    out = _finished(client.submit(request_for(f"{tmp_path}/root/{{a,..}}/secret/*"), served, roots=roots), served)
    assert (out.state, out.run_id) == ("failed", None)
    assert "expected a folder below" in out.message


def test_cancel_a_running_and_a_waiting_job(tmp_path: Path, request_for: Callable[..., RunConfig]) -> None:
    write_colors(tmp_path / "in", 200, side=400)
    engine = EngineConfig(store=tmp_path / "store", part_size=4)
    try:
        running = client.submit(request_for(tmp_path / "in"), engine)
        waiting = client.submit(request_for(tmp_path / "in", resize="pad"), engine)
        _wait(lambda: client.status(running.job_id, engine).done > 0)
        assert client.cancel(waiting.job_id, engine).state == "cancelled"
        client.cancel(running.job_id, engine)
        ended = _finished(running, engine)
        assert (ended.state, ended.run_id) == ("cancelled", None)
        (unfinished,) = RunStore(engine.store).unfinished()
        kept = read_parts(RunStore(engine.store), unfinished, ["image_id"]).num_rows
        assert 0 < kept < 200
    finally:
        client.stop_engine(engine)
        _wait(lambda: client.engine_pid(engine) is None)


def test_a_job_survives_a_stopped_and_a_killed_engine(tmp_path: Path, request_for: Callable[..., RunConfig]) -> None:
    write_colors(tmp_path / "in", 160, side=400)
    engine = EngineConfig(store=tmp_path / "store", part_size=4)
    request = request_for(tmp_path / "in")
    try:
        job = client.submit(request, engine)
        _wait(lambda: client.status(job.job_id, engine).done >= 8)
        assert client.stop_engine(engine)
        _wait(lambda: client.engine_pid(engine) is None)
        assert client.status(job.job_id, engine).state == "queued"
        stopped_at = client.status(job.job_id, engine).done
        assert client.submit(request, engine).job_id == job.job_id
        _wait(lambda: client.status(job.job_id, engine).done > stopped_at)
        pid = client.engine_pid(engine)
        assert pid is not None
        os.kill(pid, 9)
        _wait(lambda: client.engine_pid(engine) is None)
        assert client.submit(request, engine).job_id == job.job_id
        done = _finished(job, engine)
        assert (done.state, done.done) == ("complete", 160)
        counts = RunStore(engine.store).manifest(str(done.run_id)).counts
        assert counts["images"] == 160
        assert counts["resumed"] > stopped_at
        assert counts["computed"] + counts["resumed"] == 160
    finally:
        client.stop_engine(engine)
        _wait(lambda: client.engine_pid(engine) is None)


def test_unknown_job_and_wrong_values(engine: EngineConfig) -> None:
    JobTable(RunStore(engine.store).jobs_path).jobs()
    with pytest.raises(RunNotFoundError, match="received 'nope'"):
        client.status("nope", engine)
    with pytest.raises(ConfigError, match="top_k"):
        client.submit(RunConfig(images="x", top_k=0), engine)


def test_the_client_imports_neither_spark_nor_tensorflow() -> None:
    code = "import sys, sparkcore.client; print([m for m in ('pyspark', 'tensorflow', 'keras') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
