"""Executors that cannot do their part: none is free, or their Python is not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.servers import connect_server, standalone, standalone_worker
from tests.conftest import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

ONE_JOB = """
import json, sys, threading, time
from sparkcore.config import EngineConfig
from sparkcore.engine.session import start_session
from sparkcore.engine.spark_errors import to_sparkcore_error
from sparkcore.engine.spark_jobs import running_tasks, workers_are_local

def work(batches):
    import time
    import PIL, obstore
    time.sleep(3)
    yield from batches

spark = start_session(EngineConfig(store=sys.argv[1], master=sys.argv[2]))
seen, done, answer = set(), threading.Event(), {"local": workers_are_local(spark)}

def watch():
    while not done.wait(0.1):
        running = running_tasks(spark)
        if running not in seen:
            seen.add(running)
            print(running, flush=True)

threading.Thread(target=watch, daemon=True).start()
try:
    answer["rows"] = spark.range(0, 2, 1, 2).mapInArrow(work, "id long").toArrow().num_rows
except Exception as error:
    ours = to_sparkcore_error(error)
    answer |= {"kind": type(ours).__name__, "message": str(ours)}
done.set()
print(json.dumps(answer | {"seen": sorted(seen - {None})}), flush=True)
"""
NO_PACKAGES = "Expected executors with the packages of sparkcore's requirements.txt, but one of them has no "


def outcome(cluster: Cluster, folder: Path, **environment: str) -> dict[str, object]:
    done = cluster.python("-c", ONE_JOB, str(folder / "store"), cluster.master, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_python_is_elsewhere(tmp_path: Path, standalone_url: str) -> None:
    found = outcome(Cluster(standalone_url, {"SPARK_LOCAL_IP": "127.0.0.1"}), tmp_path, PYSPARK_PYTHON="/no/python3")
    assert found["kind"] == "EngineError"
    assert str(found["message"]).startswith("Expected Python at /no/python3 on the executors, but one of them cannot")


def test_python_has_no_packages(tmp_path: Path, standalone_url: str, bare_python: Path) -> None:
    cluster = Cluster(standalone_url, {"SPARK_LOCAL_IP": "127.0.0.1"})
    found = outcome(cluster, tmp_path, PYSPARK_PYTHON=str(bare_python))
    assert found["kind"] == "EngineError"
    assert str(found["message"]).startswith(f"{NO_PACKAGES}pyarrow. Install them for the executors' Python.")


def test_a_connect_server_whose_python_has_no_packages(tmp_path: Path, bare_python: Path) -> None:
    with connect_server(tmp_path / "server", "local[1]", bare_python) as url:
        found = outcome(Cluster(url), tmp_path)
    assert found["kind"] == "EngineError"
    assert str(found["message"]).startswith(NO_PACKAGES)
    assert found["local"] is False, "the server's master is local, but not on our machine"


@pytest.mark.parametrize("kind", ["standalone", "connect"])
def test_no_worker_is_free(tmp_path: Path, executors_python: Path, kind: str) -> None:
    environment = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": str(executors_python)}
    with standalone(tmp_path / "cluster", workers=0) as master:
        if kind == "standalone":
            _waits_for_a_worker(Cluster(master, environment), tmp_path, master)
        else:
            with connect_server(tmp_path / "server", master, executors_python) as url:
                _waits_for_a_worker(Cluster(url), tmp_path, master)


def _waits_for_a_worker(cluster: Cluster, folder: Path, master: str) -> None:
    out = folder / "out.txt"
    with out.open("w") as file:
        driver = cluster.start("-c", ONE_JOB, str(folder / "store"), cluster.master, stdout=file)
    try:
        wait_until(lambda: re.search(r"^0$", out.read_text(), re.MULTILINE) is not None)
        assert "rows" not in out.read_text()
        with standalone_worker(folder / "worker", master):
            assert driver.wait(90) == 0
    finally:
        driver.kill()
        driver.wait()
    found = json.loads(out.read_text().splitlines()[-1])
    assert found["rows"] == 2
    assert max(found["seen"]) >= 1
