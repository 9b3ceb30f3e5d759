"""The engine process and the programs that ask it for runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sparkcore import client
from sparkcore.commands import options
from sparkcore.commands.parser import command_parser
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.errors import ConfigError, RunNotFoundError
from sparkcore.runs.files_table import parts_so_far
from sparkcore.runs.jobs import Job, JobTable
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from tests.conftest import wait_until, write_colors
from tests.models.hostile_models import graph_of_bytes, lambda_model, weights_elsewhere

ROOT = Path(__file__).resolve().parents[1]
MANY, LARGE = 800, 1500


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Give a folder whose run takes many parts."""
    for path in write_colors(tmp_path / "many", 4, side=900):
        for number in range(MANY // 4 - 1):
            (tmp_path / "many" / f"{path.stem}-{number}.png").hardlink_to(path)
    return tmp_path / "many"


def _finished(job: Job, engine: EngineConfig) -> Job:
    wait_until(lambda: not client.status(job.job_id, engine).active)
    return client.status(job.job_id, engine)


@pytest.mark.slow
@pytest.mark.timeout(300)
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
    assert [j.job_id for j in client.jobs(served, limit=3)] == [wrong.job_id, again.job_id, job.job_id]
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


@pytest.mark.slow
def test_a_link_out_of_the_roots_is_not_read(
    tmp_path: Path, served: EngineConfig, request_for: Callable[..., RunConfig]
) -> None:
    write_colors(tmp_path / "root" / "photos", 2)
    write_colors(tmp_path / "secret", 3)
    (tmp_path / "root" / "photos" / "way-out").symlink_to(tmp_path / "secret")
    (tmp_path / "root" / "photos" / ".hidden.jpg").write_bytes(b"1")
    roots = [tmp_path / "root"]
    done = _finished(client.submit(request_for(tmp_path / "root" / "photos"), served, roots=roots), served)
    manifest = RunStore(served.store).manifest(str(done.run_id))
    assert (manifest.counts["images"], manifest.left_out) == (2, "1 link, 1 hidden file")
    out = _finished(client.submit(request_for(f"{tmp_path}/root/{{a,..}}/secret/*"), served, roots=roots), served)
    assert (out.state, out.run_id) == ("failed", None)
    assert "expected a folder below" in out.message


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_models_that_somebody_made_to_break_out(
    tmp_path: Path, served: EngineConfig, colors_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, trace = write_colors(tmp_path / "in", 1)[0].parent, tmp_path / "trace"
    (tmp_path / "secret.bin").write_bytes(bytes(4096))
    made = {
        lambda_model(tmp_path / "code.keras", colors_model, f"open({str(trace)!r}, 'w')"): "neither Lambda layers nor",
        weights_elsewhere(tmp_path / "out.onnx", "../secret.bin"): "keeps weights in other files",
        graph_of_bytes(tmp_path / "bytes.onnx"): "cannot be opened",
    }
    monkeypatch.setenv("SPARKCORE_STORE", str(served.store))
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    for model, reason in made.items():
        request = RunConfig(images=str(images), model=str(model), preprocess="none")
        ended = _finished(client.submit(request, served, roots=[tmp_path]), served)
        app.query_params["job"] = ended.job_id
        app.switch_page("pages/run.py").run()
        said = app.error[0].value.replace("\\", "")
        assert (ended.state, app.exception.len) == ("failed", 0)
        assert reason in said
        assert "Traceback" not in said
    assert not trace.exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_cancel_a_running_and_a_waiting_job(
    tmp_path: Path, served: EngineConfig, request_for: Callable[..., RunConfig]
) -> None:
    (tmp_path / "large").mkdir()
    picture = write_colors(tmp_path / "one", 1, side=1500)[0]
    for number in range(LARGE):  # more than a quick look
        (tmp_path / "large" / f"{number}.png").hardlink_to(picture)
    store = RunStore(served.store)
    before = set(store.unfinished())
    running = client.submit(request_for(tmp_path / "large"), served)
    waiting = client.submit(request_for(tmp_path / "large", resize="pad"), served)
    wait_until(lambda: client.status(running.job_id, served).done > 0)
    wait_until(lambda: client.status(waiting.job_id, served).images == LARGE)
    assert client.cancel(waiting.job_id, served).state == "cancelled"
    client.cancel(running.job_id, served)
    ended = _finished(running, served)
    assert (ended.state, ended.run_id) == ("cancelled", None)
    (unfinished,) = set(store.unfinished()) - before
    assert 0 < sum(part.rows for part in parts_so_far(store.storage, unfinished)) < LARGE


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_job_survives_a_stopped_engine(
    served: EngineConfig, many: Path, request_for: Callable[..., RunConfig]
) -> None:
    request = request_for(many, resize="crop")
    job = client.submit(request, served)
    wait_until(lambda: client.status(job.job_id, served).done >= 8)
    assert client.stop_engine(served)
    wait_until(lambda: client.status(job.job_id, served).state != "running")
    assert client.status(job.job_id, served).state == "queued"
    stopped_at = client.status(job.job_id, served).done
    assert client.submit(request, served).job_id == job.job_id
    done = _finished(job, served)
    assert (done.state, done.done) == ("complete", MANY)
    counts = RunStore(served.store).manifest(str(done.run_id)).counts
    assert counts["images"] == MANY
    assert counts["resumed"] >= stopped_at
    assert counts["computed"] + counts["resumed"] == MANY


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_job_submitted_while_the_engine_stops_is_carried_out(
    tmp_path: Path, served: EngineConfig, many: Path, request_for: Callable[..., RunConfig]
) -> None:
    running = client.submit(request_for(many, interpolation="hamming"), served)
    wait_until(lambda: client.status(running.job_id, served).done > 0)
    write_colors(tmp_path / "late", 3)
    assert client.stop_engine(served)
    late = client.submit(request_for(tmp_path / "late"), served)
    assert _finished(late, served).state == "complete"
    assert _finished(running, served).state == "complete"


def test_a_job_whose_engine_is_gone_can_be_cancelled(engine: EngineConfig) -> None:
    table = JobTable(RunStore(engine.store).jobs_path)
    job = table.submit(RunConfig(images="x"))
    table.claim()
    assert client.cancel(job.job_id, engine).state == "cancelled"


def test_unknown_job_and_wrong_values(engine: EngineConfig) -> None:
    JobTable(RunStore(engine.store).jobs_path).jobs()
    with pytest.raises(RunNotFoundError, match="received 'nope'"):
        client.status("nope", engine)
    with pytest.raises(ConfigError, match="top_k"):
        client.submit(RunConfig(images="x", top_k=0), engine)


def test_a_password_starts_no_engine(engine: EngineConfig) -> None:
    with pytest.raises(ConfigError, match="expected an address without a password, received 'ftp://u@host/x'"):
        client.submit(RunConfig(images="ftp://u:se-cret@host/x"), engine)
    assert client.engine_pid(engine) is None


def test_the_client_imports_neither_spark_nor_tensorflow() -> None:
    code = "import sys, sparkcore.client; print([m for m in ('pyspark', 'tensorflow', 'keras') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert out.strip() == "[]"


def test_the_engine_process_gets_all_settings(tmp_path: Path) -> None:
    settings = (("spark.executor.memory", "3g"), ("spark.executorEnv.A", "b=c d"))
    engine = EngineConfig(
        store=str(tmp_path), master="spark://host:1", spark_conf=settings, batch_size=3, threads=2, bucket_size=7
    )
    given = command_parser().parse_args(["engine", "serve", *client._flags(engine, RunStore(engine.store))])
    assert options.engine_config(given) == replace(engine, state=tmp_path)
    remote = RunStore("s3://bucket/runs", tmp_path / "state")
    given = command_parser().parse_args(["engine", "serve", *client._flags(EngineConfig(), remote)])
    assert options.engine_config(given) == EngineConfig(store="s3://bucket/runs", state=tmp_path / "state")
