"""Find, start and stop the Spark session."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkcore.background import in_background, result_of
from sparkcore.child import child_environment
from sparkcore.config import EngineConfig
from sparkcore.engine.cancellable_start import start_in_background
from sparkcore.engine.java import archive_options, check_java
from sparkcore.engine.masters import (
    check_master,
    chosen_master,
    executors_python,
    installed_settings,
    is_connect,
    is_local_master,
    session_settings,
    without_parameters,
)
from sparkcore.engine.reachable import check_reachable
from sparkcore.engine.shipping import PACKAGE_SHIPPED, ship_package
from sparkcore.engine.spark_errors import cause
from sparkcore.engine.spark_jobs import follow_progress
from sparkcore.errors import EngineError
from sparkcore.runs.logs import SPARK_LOG, log_path
from sparkcore.runs.state import state_folder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONNECT_MODE = ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED")
_END_OF_JVM = re.compile(
    r'^(?:Exception in thread "main" [\w.$]+: |.*Application has been killed\. Reason: |(?=Invalid ))(.+)$',
    re.MULTILINE,
)
_SUBMITTED = "PYSPARK_GATEWAY_PORT"  # spark-submit has started this process, and a JVM for it


def start_session(
    engine: EngineConfig, java_options: str | None = None, check: Callable[[], None] = lambda: None
) -> SparkSession:
    """Return the running session, or start one; raises ConfigError for a wrong master, EngineError where that fails.

    The master is `engine.master`, else SPARK_REMOTE, else that of spark-submit, else `local[*]`. `java_options` are
    additional options of a local driver (None: those of the class archive). `check` is called several times a second,
    and gives up by raising.
    """
    check_master(engine)
    submitted = _submitted_settings()
    master = chosen_master(engine, submitted)
    if not is_connect(master):
        check_java()
    result_of(in_background(lambda _: check_reachable(master), "reach"), check)
    named = submitted or installed_settings()
    settings = session_settings(engine, master, named, archive_options() if java_options is None else java_options)
    log = log_path(state_folder(engine.store, engine.state), SPARK_LOG)
    written = log.stat().st_size if log.exists() else 0
    with _stderr_into(log), _environment(executors_python(master, {**named, **settings})):
        # In a thread, where PySpark leaves the handler of SIGINT alone.
        starting = start_in_background(lambda: _build(master, settings), check)
    try:
        spark = starting.result()
    except Exception as error:
        told = (_told_in(log, written) or cause(error)).rstrip(".")
        raise EngineError(
            f"Spark could not be started on {without_parameters(master)}: {told}. See {log}.",
            shell="--master or SPARK_REMOTE sets the address.",
        ) from error
    if is_local_master(master):
        spark.conf.set(PACKAGE_SHIPPED, "true")  # local workers import the package from its place
    else:
        ship_package(spark)
        follow_progress(spark)
    return spark


def _build(master: str, settings: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("sparkcore")
    if is_connect(master):
        builder = builder.remote(master)
    else:
        for name in _CONNECT_MODE:  # PySpark would take them for the wish of a Connect session
            os.environ.pop(name, None)
        builder = builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _submitted_settings() -> dict[str, str]:
    """Return the settings that spark-submit was given; empty where it has not started this process."""
    if _SUBMITTED not in os.environ:
        return {}
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized()
    return dict(SparkConf().getAll())


def _told_in(log: Path, start: int) -> str:
    """Return what the log says since byte `start` of an end of the JVM, of which the exception knows nothing."""
    with log.open("rb") as file:
        file.seek(start)
        found = _END_OF_JVM.search(file.read().decode(errors="replace"))
    return found[1] if found else ""


@contextmanager
def session_when_needed(
    engine: EngineConfig, check: Callable[[], None] = lambda: None
) -> Iterator[Callable[[], SparkSession]]:
    """Yield a function that starts a session at its first call; stop it at the end unless it ran before.

    `check` is called during the start, and gives up by raising. Raises ConfigError for a wrong master at once.
    """
    check_master(engine)
    started: list[SparkSession] = []
    running: list[SparkSession] = []

    def spark() -> SparkSession:
        if not running:
            borrowed = _find_session()
            running.append(borrowed or start_session(engine, check=check))
            started.extend(running if borrowed is None else [])
        return running[0]

    try:
        yield spark
    finally:
        for session in started:
            stop_session(session)


def stop_session(session: SparkSession) -> None:
    """Stop a session; one whose Spark is lost has nothing to stop."""
    with suppress(Exception):
        _end_accumulators(session)
    with suppress(Exception):
        session.stop()


def _end_accumulators(session: SparkSession) -> None:
    """End PySpark's server of accumulators beside the stop: it looks once a second whether it should end."""
    context: Any = session.sparkContext
    server, context._accumulatorServer = context._accumulatorServer, None
    in_background(lambda _: server.shutdown(), "accumulators")
    if isinstance(server.server_address, str):  # this process may end before the thread removes the socket
        Path(server.server_address).unlink(missing_ok=True)


def _find_session() -> SparkSession | None:
    """Return the session of this process, whichever thread started it."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    try:
        return SparkSession.active()
    except PySparkException:
        return None


@contextmanager
def _stderr_into(path: Path) -> Iterator[None]:
    """Send the output of the JVM and its workers, which inherit the descriptor, to a log file."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with path.open("ab") as log:
            os.dup2(log.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


@contextmanager
def _environment(python: str) -> Iterator[None]:
    """Let the JVM and its workers use `python` and this package, and read file names as UTF-8.

    The JVM inherits the environment at its start, and PySpark reads the Python then: afterwards it is the user's again.
    """
    ours = {"PYSPARK_PYTHON": python, "PYTHONPATH": child_environment()["PYTHONPATH"]}
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if "utf" not in locale.lower():
        ours["LC_ALL"] = "C.UTF-8"
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
