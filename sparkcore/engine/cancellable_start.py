"""A start of Spark that can be cancelled: PySpark waits for its JVM, and that for its master, for up to a minute."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sparkcore.background import in_background, wait_for

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_END_S = 1.0
_OF_THE_JVM = ("_gateway", "_jvm", "_active_spark_context")

Build = Callable[[], "SparkSession"]


def start_in_background(build: Build, check: Callable[[], None]) -> Future[SparkSession]:
    """Build a session in a thread, and return its future when it is done.

    Where `check` raises, the JVM that is starting is ended, and the next start gets a new one.
    """

    def work(check: Callable[[], None]) -> SparkSession:
        session = build()
        try:
            check()
        except BaseException:
            session.stop()
            raise
        return session

    with _noted_jvms() as jvms:
        starting = in_background(work, "start-spark")
        try:
            wait_for(starting, check)
        except BaseException:
            starting.cancel()
            _end(jvms, starting)
            raise
    return starting


@contextmanager
def _noted_jvms() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Give a list that gets the JVM that PySpark starts: PySpark tells nobody of it before it answers."""
    from pyspark import java_gateway

    jvms: list[subprocess.Popen[bytes]] = []

    def start(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        jvms.append(subprocess.Popen(*words, **options))
        return jvms[-1]

    module: Any = java_gateway
    intact, module.Popen = module.Popen, start
    try:
        yield jvms
    finally:
        module.Popen = intact


def _end(jvms: list[subprocess.Popen[bytes]], starting: Future[SparkSession]) -> None:
    """End the JVMs, by request at first: they have folders to remove."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    for jvm in jvms:
        jvm.terminate()
    wait([starting], timeout=_END_S)
    for jvm in jvms:
        jvm.kill()
        jvm.wait()
    for name in _OF_THE_JVM if jvms else ():  # PySpark would go on to use what is gone
        setattr(SparkContext, name, None)
    if jvms:
        SparkSession._instantiatedSession = None
