"""A run against a Spark Connect server that knows nothing of this package."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import write_colors

ROOT = Path(__file__).resolve().parents[2]
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


@pytest.fixture
def connect_url(tmp_path: Path) -> Iterator[str]:
    """Start a Connect server on a free port of this machine, with an empty Python path."""
    import pyspark

    home = Path(pyspark.__file__).parent
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }
    flags = [text for name, value in settings.items() for text in ("--conf", f"{name}={value}")]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": ""}
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(
            [home / "bin" / "spark-submit", "--master", "local[2]", "--class", SERVER, *flags, "spark-internal"],
            cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for_port(port, server)
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert server.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the server did not come up")


@pytest.mark.slow
def test_a_run_over_spark_connect(tmp_path: Path, colors_model: Path, connect_url: str) -> None:
    write_colors(tmp_path / "in", 10)
    (tmp_path / "in" / "broken.png").write_text("no image")
    words = ["run", str(tmp_path / "in"), "--model", str(colors_model), "--store", str(tmp_path / "store"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "sparkcore", *words, "--master", connect_url, "--top-k", "3"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["images"], summary["ok"], summary["error_types"]) == (11, 10, {"not_an_image": 1})
