"""Spark's exceptions as errors of this package, mapped by type.

Errors that a worker knows by type never get here: they travel as values (`worker.task`). What is left are failed jobs,
for which Spark has no finer types, and a lost connection to Spark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sparkcore.errors import EngineError, InputError, RunFailedError, SparkcoreError, first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MAX_MESSAGE_LENGTH = 500
_OTHER_PYTHON = (
    "Name a suitable Python by PYSPARK_PYTHON, or --spark-conf spark.pyspark.python=PATH; for Spark Connect, where its "
    "server is started."
)
# What Spark's texts say of failures that are not the images' fault, and our message.
_DIAGNOSES = (
    (
        r"\[PYTHON_VERSION_MISMATCH\]\D*(\d+\.\d+) than that in driver:? (\d+\.\d+)",
        "Expected executors with the driver's version of Python, {1}, found {0} on an executor. " + _OTHER_PYTHON,
    ),
    (
        r'Cannot run program "([^"]+)"',
        "Expected Python at {0} on the executors, but one of them cannot start it. " + _OTHER_PYTHON,
    ),
    (
        r"ModuleNotFoundError: No module named '([\w.]+)'|"
        r"\[(?:PACKAGE_NOT_INSTALLED|UNSUPPORTED_PACKAGE_VERSION)\] (.+?) must be installed",
        "Expected executors with the packages of sparkcore's requirements.txt, but one of them has no {0}. "
        "Install them for the executors' Python. " + _OTHER_PYTHON,
    ),
    (
        r"\[SPARK_JOB_CANCELLED\]|\[OPERATION_CANCELED\]|\[INVALID_HANDLE\.OPERATION_ABANDONED\]",
        "Spark's job was cancelled from outside, such as on Spark's own page. Run the same command again to continue.",
    ),
    (
        r"SparkContext was shut down|stopped SparkContext|SESSION_CLOSED|SESSION_CHANGED",
        "Spark's driver has ended during the run. Run the same command again to continue.",
    ),
)
_MARK = re.compile(r"^(?:: |Caused by: )")  # what Java's exceptions begin with in the text of Py4J
_JAVA_CLASS = re.compile(r"[a-z]\w*(\.\w+)+(\$\w+)*")


def error_types() -> dict[type[BaseException], type[SparkcoreError]]:
    """Return the mapping; an exception belongs to the nearest of its base classes."""
    from py4j.protocol import Py4JError, Py4JJavaError
    from pyspark.errors import AnalysisException, PySparkException

    return {
        PySparkException: RunFailedError,
        AnalysisException: InputError,
        Py4JError: EngineError,
        Py4JJavaError: RunFailedError,
        OSError: EngineError,  # the sockets between driver, JVM and Connect server
        Exception: RunFailedError,
    }


def to_sparkcore_error(error: Exception) -> SparkcoreError:
    """Return the error of this package that stands for an exception of Spark's; one of ours is returned as it is."""
    if isinstance(error, SparkcoreError):
        return error
    if (diagnosed := _diagnosis(str(error))) is not None:
        return diagnosed
    if isinstance(error, _lost_connections()):
        return EngineError(
            f"The connection to Spark was lost ({reason(error)}): its driver was killed, or had no memory left. "
            "Finished images are kept; run the same command again to continue.",
            shell="logs/spark.log in the state folder may say why.",
        )
    types = error_types()
    nearest = next(base for base in type(error).__mro__ if base in types)
    return types[nearest](reason(error))


def _lost_connections() -> tuple[type[Exception], ...]:
    from py4j.protocol import Py4JNetworkError

    return Py4JNetworkError, ConnectionError, EOFError


def _diagnosis(text: str) -> EngineError | None:
    """Return the error for a failure that every image would have, with what to do; None for others."""
    for pattern, message in _DIAGNOSES:
        if found := re.search(pattern, text):
            return EngineError(message.format(*filter(None, found.groups())))
    return None


def is_alive(spark: SparkSession) -> bool:
    """Tell whether Spark still answers."""
    try:
        return bool(spark.range(1).count() == 1)
    except Exception:  # noqa: BLE001 (any exception has the same meaning)
        return False


def reason(error: Exception) -> str:
    """Return the line of Spark's message that tells most: what the worker raised, else the first line."""
    lines = str(error).splitlines()
    last_frame = max((number for number, line in enumerate(lines) if line.startswith('  File "')), default=None)
    if last_frame is not None:
        raised = [line for line in lines[last_frame:] if not line.startswith(" ")]
        if raised:
            return raised[0].strip()[:_MAX_MESSAGE_LENGTH]
    stripped = [line.strip() for line in lines]
    named = [line for line in stripped if "Error" in line and not line.startswith("at ")]
    return (named[-1] if named else cause(error))[:_MAX_MESSAGE_LENGTH]


def cause(error: BaseException) -> str:
    """Return one line that says why Spark failed.

    It is the innermost cause of a Java exception, in the words of the outermost one that repeats it: "Connection
    refused" alone does not say by whom. Other exceptions tell it in their first line.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    thrown = [_MARK.sub("", line) for line in lines if _MARK.match(line)]
    messages = [message for line in thrown if (message := _without_class(line))]
    if not messages:
        return first_line(error)[:_MAX_MESSAGE_LENGTH]
    return next(message for message in messages if messages[-1] in message)[:_MAX_MESSAGE_LENGTH]


def _without_class(line: str) -> str:
    """Leave out the name of a Java class before its message; a class without a message is all there is."""
    name, _, message = line.partition(": ")
    return message if message and _JAVA_CLASS.fullmatch(name) else line
