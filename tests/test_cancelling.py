"""Ctrl-C ends a run soon, wherever it stands, and leaves no process behind; the log has the seconds."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.drivers import descendants, running
from tests.cluster.faults import write_faults
from tests.cluster.servers import quick_jvm
from tests.conftest import wait_until, write_colors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[1]
CANCELLED = 130
LIMIT_S = 60  # 2 s are wanted, on a machine that has nothing else to do
_log = logging.getLogger(__name__)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Give the address of a server that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def unknown_model(tmp_path: Path, colors_model: Path) -> Path:
    """Give a model that was never frozen."""
    path = Path(shutil.copyfile(colors_model, tmp_path / "new.keras"))
    settings = json.loads(colors_model.with_suffix(".json").read_text())
    settings["labels"] = [f"{label} {tmp_path.name}" for label in settings["labels"]]
    path.with_suffix(".json").write_text(json.dumps(settings))
    return path


def interrupted(folder: Path, phase: str, words: list[str], after_s: float = 0.5, **environment: str) -> None:
    """Start a run, send what Ctrl-C sends soon after a phase begins, and see it end with all that it has started."""
    told = folder / "stderr"
    command = [sys.executable, "-m", "sparkcore", "run", *words, "--store", str(folder / "store")]
    with told.open("w") as stderr, subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **quick_jvm(), **environment}, stderr=stderr, start_new_session=True,
    ) as process:  # fmt: skip
        wait_until(lambda: f"\n{phase}" in f"\n{told.read_text()}" or process.poll() is not None)
        time.sleep(after_s)
        assert process.poll() is None, told.read_text()
        family = descendants(process.pid)
        begun = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(LIMIT_S)
        ended_s = time.monotonic() - begun
        wait_until(lambda: not family & running())
    said = told.read_text()
    _log.info(
        "%s: ended %.1f s after the signal, its %d processes after %.1f s",
        phase, ended_s, len(family), time.monotonic() - begun,
    )  # fmt: skip
    assert (code, said.splitlines()[-1]) == (
        CANCELLED,
        "Cancelled: finished images are kept; run the same command again to resume.",
    ), said
    assert "Traceback" not in said


def test_listing_on_a_store_that_is_silent(tmp_path: Path, colors_model: Path, silent_server: str) -> None:
    words = ["s3://bucket/pictures", "--model", str(colors_model)]
    interrupted(tmp_path, "listing", words, AWS_ENDPOINT_URL=silent_server, AWS_ALLOW_HTTP="true")


@pytest.mark.parametrize(("phase", "after_s"), [("starting Spark", 0), ("starting Spark", 1), ("loading the model", 1)])
def test_while_spark_starts_and_the_model_is_frozen(
    tmp_path: Path, unknown_model: Path, phase: str, after_s: float
) -> None:
    write_colors(tmp_path / "in", 4)
    interrupted(tmp_path, phase, [str(tmp_path / "in"), "--model", str(unknown_model)], after_s)


@pytest.mark.soak
@pytest.mark.parametrize("phase", ["calibrating int8", "comparing int8"])
def test_while_a_model_is_quantized(tmp_path: Path, colors_model: Path, phase: str) -> None:
    write_colors(tmp_path / "in", 1200)
    faults = write_faults(tmp_path / "faults", slow_s=0.01)
    words = [str(tmp_path / "in"), "--model", str(colors_model), "--precision", "int8"]
    interrupted(tmp_path, phase, words, PYTHONPATH=str(faults.folder))


@pytest.mark.soak  # with a signal to the driver alone, test_cli does the same
def test_while_pictures_are_classified(tmp_path: Path, colors_model: Path) -> None:
    write_colors(tmp_path / "in", 40)
    faults = write_faults(tmp_path / "faults", slow_s=0.5)
    words = [str(tmp_path / "in"), "--model", str(colors_model)]
    interrupted(tmp_path, "classifying", words, 5, PYTHONPATH=str(faults.folder))
