"""Sessions in processes of their own: what Spark really got."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyspark
import pytest

from tests.cluster.servers import quick_jvm

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 200
REPORT = """
import json, os, sys
from sparkcore.config import EngineConfig
from sparkcore.engine.session import start_session

def fail_first(batches):
    from pyspark import TaskContext
    if TaskContext.get().attemptNumber() == 0:
        raise ValueError("the first attempt")
    yield from batches

spark = start_session(EngineConfig(store=sys.argv[1], **json.loads(sys.argv[2])))
context = spark.sparkContext
settings = dict(context.getConf().getAll())
print(json.dumps({
    "master": context.master,
    "heap_mb": context._jvm.java.lang.Runtime.getRuntime().maxMemory() >> 20,
    "rows": spark.range(0, 2, 1, 1).mapInArrow(fail_first, "id long").count(),
    "python": context.pythonExec,
    "environment": os.environ.get("PYSPARK_PYTHON"),
    **{name: settings.get(name) for name in ("spark.scheduler.mode", "spark.python.task.killTimeout", "spark.my.own")},
}))
spark.stop()
"""
START = """
import json, sys
from sparkcore.config import EngineConfig
from sparkcore.engine.session import start_session
from sparkcore.errors import SparkcoreError

try:
    start_session(EngineConfig(store=sys.argv[1], master=sys.argv[2], spark_conf=json.loads(sys.argv[3])))
except SparkcoreError as error:
    print(f"{type(error).__name__}: {error}")
"""
CANCEL = """
import json, os, sys
from sparkcore.config import EngineConfig
from sparkcore.engine.session import start_session
from sparkcore.errors import RunCancelledError
from tests.cluster.drivers import named

engine = EngineConfig(store=sys.argv[1], master="local[1]")
for patience in (2, 16):  # tenths of a second: before PySpark knows the JVM, and after
    calls = []

    def check():
        calls.append(patience)
        if len(calls) > patience:
            raise RunCancelledError("enough")

    try:
        start_session(engine, check=check)
    except RunCancelledError:
        print(named("java", os.getpid()))
spark = start_session(engine)
print([spark.range(3).count(), len(named("java", os.getpid()))])
spark.stop()
"""


def report(command: list[str], store: Path, values: dict[str, Any], **environment: str) -> dict[str, Any]:
    program = store.parent / "program.py"
    program.write_text(REPORT)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_")}
    inherited["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [*command, str(program), str(store), json.dumps(values)],
        cwd=store.parent, env={**inherited, **quick_jvm(), **environment},
        capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def refusal(store: Path, master: str, settings: dict[str, str] | None = None, **environment: str) -> str:
    """Start a session that cannot be, in a process of its own; return the error."""
    done = subprocess.run(
        [sys.executable, "-c", START, str(store), master, json.dumps(list((settings or {}).items()))],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_our_master_and_settings(tmp_path: Path) -> None:
    settings = [("spark.driver.memory", "512m"), ("spark.my.own", "x")]
    found = report(
        [sys.executable], tmp_path / "store", {"master": "local[2]", "spark_conf": settings}, SPARK_REMOTE="sc://h:1"
    )
    assert 480 <= found.pop("heap_mb") <= 512
    assert found == {
        "master": "local[2,4]",
        "rows": 2,
        "python": sys.executable,
        "environment": None,
        "spark.scheduler.mode": "FAIR",
        "spark.python.task.killTimeout": "500ms",
        "spark.my.own": "x",
    }


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_spark_submit_names_master_and_settings(tmp_path: Path) -> None:
    submit = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", "local[3]"]
    submit += ["--driver-memory", "600m", "--conf", "spark.scheduler.mode=FIFO", "--conf", "spark.my.own=y"]
    found = report(submit, tmp_path / "store", {}, PYSPARK_PYTHON=sys.executable)
    assert 560 <= found["heap_mb"] <= 600
    assert (found["master"], found["spark.scheduler.mode"], found["spark.my.own"]) == ("local[3,4]", "FIFO", "y")
    assert found["spark.python.task.killTimeout"] == "500ms"
    assert found["rows"] == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_start_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CANCEL, str(tmp_path / "store")],
        cwd=ROOT, env={**os.environ, **quick_jvm(), "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()) == (0, ["[]", "[]", "[3, 1]"]), done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("spark.driver.memory", r"Invalid maximum heap size: -Xmxabc\. See "),
        ("spark.executor.memory", r"Executor memory must be a positive number\. See "),
    ],
)
def test_a_jvm_that_ends_at_once(tmp_path: Path, setting: str, told: str) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "spark.log").write_text("Invalid thing of an earlier session\n")
    said = refusal(tmp_path, "local[1]", {setting: "abc"})
    assert re.match(rf"EngineError: Spark could not be started on local\[1,4\]: {told}", said), said
