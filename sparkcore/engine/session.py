"""Start, find and stop the Spark session."""

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

from sparkcore.child import child_environment
from sparkcore.config import EngineConfig
from sparkcore.engine.java import archive_options, check_java
from sparkcore.errors import EngineError, first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL_MASTER = "local[*]"
_PACKAGE = Path(__file__).resolve().parents[1]
_LOG4J = Path(__file__).with_name("log4j2.properties")

# Arrow batches are bounded by bytes because image sizes differ. Opening a file counts as a megabyte, so that tasks get
# equal numbers of photos; partitions may be large, or 300 photos would make three tasks for two cores.
_SETTINGS = {
    "spark.sql.files.openCostInBytes": str(1 << 20),
    "spark.sql.files.maxPartitionBytes": str(2 << 30),
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(16 << 20),
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "false",
    # A run's jobs only pass rows through: compiling code for them takes longer than it saves.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
_SHIPPED = "spark.sparkcore.shipped"
_LOCAL_SETTINGS = {
    # Over TCP every task waits 40 ms for its first bytes, because of delayed acknowledgements.
    "spark.python.unix.domain.socket.enabled": "true",
    _SHIPPED: "true",  # local workers import the package from its place
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.driver.maxResultSize": "0",
    # The driver's JVM only plans and copies: the C1 compiler and the serial collector start faster.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
    f"-Dlog4j2.configurationFile={_LOG4J.as_uri()}",
}


def start_session(engine: EngineConfig, java_options: str | None = None) -> SparkSession:
    """Return the running session, or start one for `engine.master`; raises EngineError where that fails.

    `java_options` are additional options of a local driver (None: those of the class archive).
    """
    master = engine.master or LOCAL_MASTER
    remote, local = master.startswith("sc://"), is_local_master(master)
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
            f"Spark could not be started on {master!r}: {first_line(error)} "
            "Check the address of the Spark master, and that Java and the address are reachable.",
            shell="--master or SPARK_REMOTE sets the address.",
        ) from error
    if not local:
        ship_package(spark)
    return spark


def _local_settings(java_options: str | None) -> dict[str, str]:
    name = "spark.driver.extraJavaOptions"
    more = archive_options() if java_options is None else java_options
    return {**_LOCAL_SETTINGS, name: f"{_LOCAL_SETTINGS[name]} {more}"}


@contextmanager
def session_when_needed(engine: EngineConfig) -> Iterator[Callable[[], SparkSession]]:
    """Yield a function that starts a session at its first call; stop it at the end unless it ran before."""
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
    """Return the session of this process, whichever thread started it."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    try:
        return SparkSession.active()
    except PySparkException:
        return None


def is_local_master(master: str) -> bool:
    """Tell whether the workers of a master run on this machine, in the driver's process tree."""
    return master.split("[", maxsplit=1)[0] == "local"


def workers_are_local(spark: SparkSession) -> bool:
    """Tell whether the workers share this machine's disk.

    A Connect server is elsewhere, whatever master it has itself.
    """
    return not _is_remote(spark) and is_local_master(str(spark.sparkContext.master))


def worker_slots(spark: SparkSession) -> int | None:
    """Return how many tasks run at once, or None for a Spark Connect server, which does not tell."""
    return None if _is_remote(spark) else spark.sparkContext.defaultParallelism


def tag_jobs(spark: SparkSession, tag: str) -> None:
    """Tag the Spark jobs that this thread starts from now on."""
    if _is_remote(spark):
        spark.addTag(tag)
    else:
        spark.sparkContext.addJobTag(tag)


def cancel_jobs(spark: SparkSession, tag: str) -> None:
    """Cancel all Spark jobs with a tag, whichever thread started them.

    A classic session interrupts only the tags of the calling thread, so the jobs are cancelled in the SparkContext.
    """
    if _is_remote(spark):
        spark.interruptTag(tag)
    else:
        spark.sparkContext.cancelJobsWithTag(tag)


def _is_remote(spark: SparkSession) -> bool:
    from pyspark.sql.utils import is_remote

    return is_remote() and not hasattr(spark, "_jsparkSession")


def ship_package(spark: SparkSession) -> None:
    """Send this package to the executors, once a session; they need only its requirements installed."""
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
    """Restore our SIGINT handler: PySpark installs one that raises at an arbitrary point."""
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
    """Send the output of the JVM and its workers, which inherit the descriptor, to a log file."""
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
    """Make workers use this Python and this package, and the JVM read file names as UTF-8."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    os.environ["PYTHONPATH"] = child_environment()["PYTHONPATH"]
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if "utf" not in locale.lower():
        os.environ["LC_ALL"] = "C.UTF-8"
