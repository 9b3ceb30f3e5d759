"""The Spark session: how it is started, found and shut down."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sparkcore.config import EngineConfig
from sparkcore.engine import class_archive
from sparkcore.engine.java import check_java
from sparkcore.errors import EngineError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL_MASTER = "local[*]"
_PACKAGE = Path(__file__).resolve().parents[1]
_LOG4J = Path(__file__).with_name("log4j2.properties")

# Arrow batches are bounded by bytes because images are not of one size. A file weighs a megabyte beside its bytes, so
# that tasks get equal numbers of photos; partitions may be large, or 300 photos would make three tasks for two cores.
_SETTINGS = {
    "spark.sql.files.openCostInBytes": str(1 << 20),
    "spark.sql.files.maxPartitionBytes": str(2 << 30),
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(16 << 20),
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "false",
    # A run's jobs hand rows through: compiling a program for that takes longer than it saves.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
_SHIPPED = "spark.sparkcore.shipped"
_LOCAL_SETTINGS = {
    # Over TCP every task waits 40 ms for its first bytes: small writes and delayed acknowledgements.
    "spark.python.unix.domain.socket.enabled": "true",
    _SHIPPED: "true",  # local workers find the package where it is
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.driver.maxResultSize": "0",
    # The driver's JVM only plans and copies: the quick compiler and a small collector start sooner.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
    f"-Dlog4j2.configurationFile={_LOG4J.as_uri()}",
}


def start_session(engine: EngineConfig, java_options: str | None = None) -> SparkSession:
    """Return the running session, or start one for `engine.master`; raises EngineError where that fails.

    `java_options` are further options of a local driver (None: those of the class archive).
    """
    master = engine.master or LOCAL_MASTER
    remote, local = master.startswith("sc://"), is_this_machine(master)
    if not remote:
        check_java()
    _prepare_environment()
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("sparkcore")
    builder = builder.remote(master) if remote else builder.master(master)
    for name, value in {**_SETTINGS, **(_local_settings(java_options) if local else {})}.items():
        builder = builder.config(name, value)
    try:
        with _own_interrupts(), _stderr_into(engine.store / "logs" / "spark.log"):
            spark = builder.getOrCreate()
    except Exception as error:
        raise EngineError(
            f"Spark could not be started on {master!r}: {str(error).splitlines()[0]} "
            "Check --master (or SPARK_REMOTE) and that Java and the address are reachable."
        ) from error
    if not local:
        ship_package(spark)
    return spark


def _local_settings(java_options: str | None) -> dict[str, str]:
    name = "spark.driver.extraJavaOptions"
    more = class_archive.java_options() if java_options is None else java_options
    return {**_LOCAL_SETTINGS, name: f"{_LOCAL_SETTINGS[name]} {more}"}


@contextmanager
def session_when_needed(engine: EngineConfig) -> Iterator[Callable[[], SparkSession]]:
    """Give a function that starts a session when it is first called; stop it at the end unless it ran before."""
    started: list[SparkSession] = []
    running: list[SparkSession] = []

    def spark() -> SparkSession:
        if not running:
            borrowed = _find_session()
            running.append(borrowed or start_session(engine))
            started.extend(running if borrowed is None else [])
        return running[0]

    try:
        yield spark
    finally:
        for session in started:
            session.stop()


def _find_session() -> SparkSession | None:
    """Return the session of this process, whichever thread began it."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    try:
        return SparkSession.active()
    except PySparkException:
        return None


def is_this_machine(master: str | None) -> bool:
    """Tell whether workers of this master share the files of the driver (`local-cluster` only pretends not to)."""
    return (master or "").split("[")[0] == "local"


def worker_slots(spark: SparkSession) -> int | None:
    """Return how many tasks run at once, or None where a Spark Connect server does not tell."""
    return spark.sparkContext.defaultParallelism if hasattr(spark, "sparkContext") else None


def ship_package(spark: SparkSession) -> None:
    """Send this package to the executors, once a session: they need nothing installed but its requirements."""
    if spark.conf.get(_SHIPPED, None):
        return
    archive = Path(tempfile.mkdtemp(prefix="sparkcore-")) / "sparkcore.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(_PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                package.write(path, Path("sparkcore") / path.relative_to(_PACKAGE))
    spark.addArtifacts(str(archive), pyfile=True)
    spark.conf.set(_SHIPPED, "true")


@contextmanager
def _own_interrupts() -> Iterator[None]:
    """Keep this program's SIGINT handler: Spark puts its own in place, which raises wherever the program stands."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def _stderr_into(path: Path) -> Iterator[None]:
    """Let the JVM and its workers, which keep the descriptor, write their chatter into a log file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with path.open("ab") as log:
            os.dup2(log.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _prepare_environment() -> None:
    """Make the workers find this Python and this package, and the JVM read file names as UTF-8."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(_PACKAGE.parent) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_PACKAGE.parent), *paths]))
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if "utf" not in locale.lower():
        os.environ["LC_ALL"] = "C.UTF-8"
