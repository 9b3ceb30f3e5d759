"""Sessions on real clusters: what executors get and what they use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import SITE_PACKAGES, Cluster, make_python
from tests.cluster.servers import connect_server

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

PUBLIC_PYTHON = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
ASK_EXECUTORS = """
import glob, json, os, sys, tempfile
import pyarrow as pa
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.session import start_session
from sparkcore.engine.shipping import ship_model, ship_package, with_local_model
from sparkcore.engine.spark_jobs import worker_slots, workers_are_local
from sparkcore.worker.task import WorkerTask
from tests.models.fixture_model import frozen_fixture
from pathlib import Path

def left():
    return set(glob.glob(tempfile.gettempdir() + "/sparkcore-*"))

def main(master, folder):
    before = left()
    spark = start_session(EngineConfig(store=folder, master=master))
    model = frozen_fixture(Path(folder))
    for _ in range(2):
        ship_package(spark)
        ship_model(spark, model)
    task, localize = WorkerTask(RunConfig(images="x"), model, 1, 1), with_local_model()

    def ask(batches):
        import time
        import sparkcore.worker.loop
        from sparkcore.models.predictor import load_predictor
        time.sleep(1)  # so long that each executor gets a task
        for batch in batches:
            found = localize(task).model
            load_predictor(found, 1)
            told = {
                "package": sparkcore.__file__, "model": str(found.path), "python": sys.executable,
                "pythonpath": os.environ.get("PYTHONPATH", ""), "folder": os.getcwd(),
                "engine": "sparkcore.engine" in sys.modules,
            }
            yield pa.record_batch({"told": [json.dumps(told)] * len(batch)})

    rows = spark.range(0, 4, 1, 4).mapInArrow(ask, "told string").toArrow()["told"].to_pylist()
    print(json.dumps({
        "told": [json.loads(row) for row in rows], "slots": worker_slots(spark), "local": workers_are_local(spark),
        "left": sorted(left() - before), "model": str(model.path),
    }))
    spark.stop()

main(*sys.argv[1:])
"""


def answers(done: subprocess.CompletedProcess[str], folder: Path) -> dict[str, Any]:
    log = folder / "logs" / "spark.log"
    assert done.returncode == 0, done.stderr + (log.read_text()[-3000:] if log.exists() else "")
    return json.loads(done.stdout.splitlines()[-1])


def test_package_and_model_arrive(cluster: Cluster, tmp_path: Path, executors_python: Path) -> None:
    found = answers(cluster.python("-c", ASK_EXECUTORS, cluster.master, str(tmp_path)), tmp_path)
    assert len(found["told"]) == 4
    for told in found["told"]:
        assert "sparkcore.zip/sparkcore/__init__.py" in told["package"]
        assert Path(told["model"]).name == Path(found["model"]).name
        assert told["model"] != found["model"]
        assert told["python"] == str(executors_python)
        assert not told["engine"]
    assert len({told["folder"] for told in found["told"]}) == 2, "one executor has done all"
    assert found["left"] == []
    assert found["local"] is False
    assert found["slots"] == (None if cluster.master.startswith("sc:") else 2)


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """Give a folder of the user nobody, who may not enter those of the test."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to start a server as another user")
    if PUBLIC_PYTHON is None:
        pytest.skip("needs a Python of the driver's version that every user may start")
    folder = Path(tempfile.mkdtemp(prefix="nobodys-"))
    shutil.chown(folder, "nobody")
    yield folder
    shutil.rmtree(folder)


def test_executors_of_another_user(tmp_path: Path, nobodys_folder: Path) -> None:
    tmp_path.chmod(0o700)
    python = make_python(nobodys_folder / "python", str(SITE_PACKAGES), str(PUBLIC_PYTHON))
    with connect_server(nobodys_folder, "local[2]", python, user="nobody") as url:
        found = answers(Cluster(url).python("-c", ASK_EXECUTORS, url, str(tmp_path)), tmp_path)
    assert {Path(told["model"]).name for told in found["told"]} == {Path(found["model"]).name}
    assert found["model"] not in {told["model"] for told in found["told"]}
