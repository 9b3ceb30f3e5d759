"""A run against a Spark Connect server that has neither this package nor the client's files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from tests.conftest import wait_until, write_colors

ROOT = Path(__file__).resolve().parents[2]
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
LIMIT_S = 90
# The server's Python workers import this first: as on another machine, they do not find the files of the client.
# Spark itself finds them, as it would those of a shared file system.
ELSEWHERE = """
import errno, os, sys
HIDDEN, find = {hidden!r}, os.stat

def check(path):
    if isinstance(path, (str, bytes, os.PathLike)) and os.fsdecode(path).startswith(HIDDEN):
        raise FileNotFoundError(errno.ENOENT, "not on this machine", os.fsdecode(path))

def stat(path, *args, **options):
    check(path)
    return find(path, *args, **options)

os.stat = stat
sys.addaudithook(lambda event, args: check(args[0]) if event == "open" else None)
"""


@pytest.fixture
def connect_url(tmp_path: Path) -> Iterator[str]:
    """Start a Connect server with a local master, as a stock `start-connect-server.sh` on another host has."""
    import pyspark

    hidden = (os.environ["SPARKCORE_CACHE"],)
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "sitecustomize.py").write_text(ELSEWHERE.format(hidden=hidden))

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
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    environment["PYTHONPATH"] = str(tmp_path / "server")
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
        server.wait(LIMIT_S)


def _wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert server.poll() is None
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        return False

    wait_until(answers)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_over_spark_connect(tmp_path: Path, colors_model: Path, connect_url: str) -> None:
    pictures = write_colors(tmp_path / "in", 10)
    (tmp_path / "in" / "broken.png").write_text("no image")
    words = ["run", str(tmp_path / "in"), "--model", str(colors_model), "--store", str(tmp_path / "store"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "sparkcore", *words, "--master", connect_url, "--top-k", "3"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["images"], summary["ok"], summary["error_types"]) == (11, 10, {"not_an_image": 1})
    rows = read_parts(RunStore(tmp_path / "store"), summary["run_id"], ["file_name", "label"]).to_pylist()
    assert {row["file_name"]: row["label"] for row in rows} == {
        "broken.png": None, **{path.name: path.name.split("-")[0] for path in pictures},
    }  # fmt: skip
