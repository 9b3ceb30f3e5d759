"""What the address of a Spark master means, and which settings a session for it gets."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from sparkcore.config import EngineConfig
from sparkcore.errors import ConfigError

LOCAL_MASTER = "local[*]"
EXECUTORS_PYTHON = "spark.pyspark.python"
ATTEMPTS = 4  # of a task: Spark's own number for clusters
_EXPECTED = (
    "local, local[N], local-cluster[N,CORES,MB], spark://HOST:PORT, yarn, k8s://https://HOST:PORT or sc://HOST:PORT"
)
_FORMS = re.compile(
    r"local(\[(\*|[1-9]\d*)(, *[1-9]\d*)?\])?"
    r"|local-cluster\[ *[1-9]\d* *, *[1-9]\d* *, *[1-9]\d* *\]"
    r"|spark://[^\s/]+:\d+(,[^\s/,]+:\d+)*|yarn|k8s://\S+|sc://\S+"
)
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"

# What rows depend on: only --spark-conf changes it.
_FIXED = {"spark.sql.session.timeZone": "UTC"}
# Arrow batches are bounded by bytes because image sizes differ. Opening a file counts as a megabyte, so that tasks get
# equal numbers of photos; partitions may be large, or 300 photos would make three tasks for two cores.
_SQL = {
    "spark.sql.files.openCostInBytes": str(1 << 20),
    "spark.sql.files.maxPartitionBytes": str(2 << 30),
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(16 << 20),
    "spark.sql.adaptive.enabled": "false",
    # A run's jobs only pass rows through: compiling code for them takes longer than it saves.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
_OWN_DRIVER = {
    "spark.scheduler.mode": "FAIR",  # a short job does not wait behind a long one
    "spark.python.task.killTimeout": "500ms",  # a cancelled task ends although its worker is busy
    "spark.ui.showConsoleProgress": "false",
}
# Nobody else needs to reach the driver.
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_ONE_MACHINE = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "2g",
    "spark.driver.maxResultSize": "0",
}
# Over TCP every task waits 40 ms for its first bytes, because of delayed acknowledgements.
_ONE_PROCESS = {"spark.python.unix.domain.socket.enabled": "true"}
# YARN's client waits a quarter of an hour for a resource manager that is not there.
_YARN = {
    "spark.hadoop.yarn.resourcemanager.connect.max-wait.ms": "8000",
    "spark.hadoop.yarn.resourcemanager.connect.retry-interval.ms": "2000",
    "spark.hadoop.ipc.client.connect.max.retries": "1",
}


def check_master(engine: EngineConfig) -> None:
    """Raise ConfigError where the master, or a setting for it, is one that Spark could not use."""
    master = engine.master or os.environ.get("SPARK_REMOTE") or LOCAL_MASTER
    if not _FORMS.fullmatch(master):
        raise ConfigError.unexpected("master", f"one of {_EXPECTED}", without_parameters(master))
    if master == "yarn" and not (os.environ.get("HADOOP_CONF_DIR") or os.environ.get("YARN_CONF_DIR")):
        raise ConfigError(
            "master: yarn needs HADOOP_CONF_DIR or YARN_CONF_DIR, the folder with yarn-site.xml. Neither is set."
        )
    of_server = [name for name, _ in engine.spark_conf if not name.startswith("spark.sql.")]
    if is_connect(master) and of_server:
        raise ConfigError(
            f"spark-conf: expected only names that begin with spark.sql. for a Spark Connect server, received "
            f"{', '.join(of_server)}. The server runs already: set them where it is started."
        )


def chosen_master(engine: EngineConfig, submitted: Mapping[str, str]) -> str:
    """Return the master of a session; `submitted` has the settings of spark-submit, if it started this process.

    A local master gets second attempts for its tasks, unless it says how many: `local[2]` becomes `local[2,4]`.
    """
    master = engine.master or os.environ.get("SPARK_REMOTE") or submitted.get("spark.master") or LOCAL_MASTER
    parts = re.fullmatch(r"local(?:\[(\*|\d+)\])?", master)
    return f"local[{parts[1] or 1},{ATTEMPTS}]" if parts else master


def is_local_master(master: str) -> bool:
    """Tell whether the workers of a master are processes of the driver: `local` and `local[...]`."""
    return master.partition("[")[0] == "local"


def is_connect(master: str) -> bool:
    """Tell whether a master is a Spark Connect server, which has a driver of its own."""
    return master.startswith("sc://")


def without_parameters(master: str) -> str:
    """Return a master as messages may show it: the parameters of a Connect address may hold a token."""
    return master.partition(";")[0].rstrip("/")


def is_one_machine(master: str) -> bool:
    """Tell whether driver and workers cannot but be on this machine."""
    return is_local_master(master) or master.startswith("local-cluster[") or _is_loopback(master)


def standalone_addresses(master: str) -> list[tuple[str, int]]:
    """Return host and port of each master in `spark://HOST:PORT,HOST:PORT`; empty for other masters."""
    if not master.startswith("spark://"):
        return []
    split = [urlsplit(f"//{one}") for one in master.removeprefix("spark://").split(",")]
    return [(one.hostname or "", one.port or 0) for one in split]


def session_settings(
    engine: EngineConfig, master: str, named: Mapping[str, str], java_options: str = ""
) -> dict[str, str]:
    """Return all settings of a session.

    `named` are the settings of the user's installation or of spark-submit: our defaults leave them as they are.
    `engine.spark_conf` comes before everything. `java_options` are added to those of our driver.
    """
    settings = {**_SQL, **({} if is_connect(master) else _driver_settings(master, java_options))}
    settings = {name: value for name, value in settings.items() if name not in named}
    asked = dict(engine.spark_conf)
    if _JAVA_OPTIONS in settings and _JAVA_OPTIONS in asked:
        asked[_JAVA_OPTIONS] = f"{settings[_JAVA_OPTIONS]} {asked[_JAVA_OPTIONS]}"
    return {**settings, **_FIXED, **asked}


def _driver_settings(master: str, java_options: str) -> dict[str, str]:
    local, here = is_local_master(master), is_local_master(master) or master.startswith("local-cluster[")
    # The driver's JVM only plans: the C1 compiler and the serial collector start faster, and the C2 compiler takes more
    # of a core than the tasks of a run do.
    log4j = Path(__file__).absolute().with_name("log4j2.properties").as_uri()
    one_machine = f"-XX:+UseSerialGC -Dlog4j2.configurationFile={log4j}" if here else ""
    quick = f"-XX:TieredStopAtLevel=1 {one_machine}".strip()
    return {
        **_OWN_DRIVER,
        **(_ONE_MACHINE if here else {}),
        **(_LOOPBACK if is_one_machine(master) else {}),
        **(_ONE_PROCESS if local else {}),
        **(_YARN if master == "yarn" else {}),
        _JAVA_OPTIONS: f"{quick} {java_options}".strip(),
    }


def executors_python(master: str, named: Mapping[str, str]) -> str:
    """Return the Python of the executors: what the user named, else this one where they are on this machine.

    Elsewhere it is `python3`, found on the PATH of each executor: a path of this machine means nothing there.
    """
    chosen = named.get(EXECUTORS_PYTHON) or os.environ.get("PYSPARK_PYTHON")
    return chosen or (sys.executable if is_one_machine(master) else "python3")


def installed_settings() -> dict[str, str]:
    """Return the settings of `spark-defaults.conf` in SPARK_CONF_DIR, or in the folder `conf` of SPARK_HOME."""
    folder = os.environ.get("SPARK_CONF_DIR") or str(_spark_home() / "conf")
    try:
        lines = Path(folder, "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    found = (re.match(r"\s*([^\s#!=:]+)\s*[=:\s]\s*(.*?)\s*$", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def _spark_home() -> Path:
    """Return SPARK_HOME, or the installed package of PySpark, which takes its place."""
    package = find_spec("pyspark")
    installed = (package and package.submodule_search_locations) or ["."]
    return Path(os.environ.get("SPARK_HOME") or installed[0])


def _is_loopback(master: str) -> bool:
    hosts = [host for host, _ in standalone_addresses(master)]
    return bool(hosts) and all(host in ("localhost", "::1") or host.startswith("127.") for host in hosts)
