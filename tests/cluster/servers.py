"""Real Spark servers on this machine, started as on other machines: elsewhere, with an environment of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pyspark

from sparkcore.engine.java import archive_options
from tests.conftest import wait_until
from tests.storage.s3_server import CREDENTIALS, free_ports

SPARK_HOME = Path(pyspark.__file__).parent
_DEPLOY = "org.apache.spark.deploy"
_CONNECT_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
_STOP_LIMIT_S = 20


def quick_jvm() -> dict[str, str]:
    """Return what makes short-lived JVMs, which spend their time on starting, take half the processor time."""
    return {"JDK_JAVA_OPTIONS": f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC {archive_options()}"}


def bare_environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a machine that has Spark, and the keys of the object store, but nothing of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
    return {
        **kept,
        **CREDENTIALS,
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        **quick_jvm(),
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        **more,
    }


@contextmanager
def standalone(folder: Path, workers: int = 2) -> Iterator[str]:
    """Run a standalone master and workers of one core until the end of the block; yield the master's URL."""
    port, page = free_ports(2)
    url = f"spark://127.0.0.1:{port}"
    options = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)]
    with ExitStack() as stack:
        stack.enter_context(_server(folder / "master", [f"{_DEPLOY}.master.Master", *options], port))
        for number in range(workers):
            # Spark never speculates on the host of the first attempt.
            stack.enter_context(standalone_worker(folder / f"worker-{number}", url, host=f"127.0.0.{number + 1}"))
        yield url


@contextmanager
def standalone_worker(
    folder: Path, master: str, *, host: str = "127.0.0.1", shell: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one worker of one core and 1 GB in a folder of its own; yield its process.

    `shell` is carried out before, where nobody else sees what it mounts.
    """
    port, page = free_ports(2)
    places = ["--host", host, "--port", str(port), "--webui-port", str(page), "--work-dir", str(folder / "work")]
    command = [f"{_DEPLOY}.worker.Worker", *places, "--cores", "1", "--memory", "1g", master]
    with _server(folder, command, port, shell=shell, SPARK_LOCAL_IP=host) as worker:
        wait_until(lambda: b"Successfully registered" in (folder / "server.log").read_bytes())
        yield worker


@contextmanager
def connect_server(folder: Path, master: str, python: Path, *, user: str | None = None) -> Iterator[str]:
    """Run a Connect server whose executors use `python`, as another user if one is named; yield its URL."""
    (port,) = free_ports(1)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }
    flags = [text for name, value in settings.items() for text in ("--conf", f"{name}={value}")]
    command = ["org.apache.spark.deploy.SparkSubmit", "--master", master, "--class", _CONNECT_SERVER, *flags]
    with _server(folder, [*command, "spark-internal"], port, user=user, PYSPARK_PYTHON=str(python)):
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def _server(
    folder: Path, command: list[str], port: int, *, shell: str = "", user: str | None = None, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a class of Spark in its own folder and process group until the end of the block; wait for its port."""
    folder.mkdir(parents=True, exist_ok=True)
    apart = ["unshare", "--mount", "sh", "-ec", f'{shell}; exec "$@"', "sh"] if shell else []
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*apart, SPARK_HOME / "bin" / "spark-class", *command],
            cwd=folder, env=bare_environment(folder, **environment), stdout=log, stderr=log, start_new_session=True,
            user=user,
        )  # fmt: skip
    host = environment.get("SPARK_LOCAL_IP", "127.0.0.1")
    try:
        wait_until(lambda: _answers(server, host, port, folder / "server.log"))
        yield server
    finally:
        _stop_group(server)


def _answers(server: subprocess.Popen[bytes], host: str, port: int, log: Path) -> bool:
    assert server.poll() is None, f"the server has ended:\n{log.read_text(errors='replace')[-2000:]}"
    with suppress(OSError):
        socket.create_connection((host, port), 1).close()
        return True
    return False


def _stop_group(server: subprocess.Popen[bytes]) -> None:
    """End a server and the executors that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with suppress(subprocess.TimeoutExpired):
            server.wait(_STOP_LIMIT_S)
            return
