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
_JAVA_CLASS = re.compile(r"[a-z]\w*(\.\w+)+(\$\w+)*")


def error_types() -> dict[type[BaseException], type[SparkcoreError]]:
    """Return the mapping; an exception belongs to the nearest of its base classes."""
    from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
    from pyspark.errors import AnalysisException, PySparkException

    return {
        PySparkException: RunFailedError,
        AnalysisException: InputError,
        Py4JError: EngineError,
        Py4JJavaError: RunFailedError,
        Py4JNetworkError: EngineError,
        OSError: EngineError,  # the sockets between driver, JVM and Connect server
        EOFError: EngineError,
        Exception: RunFailedError,
    }


def to_sparkcore_error(error: Exception) -> SparkcoreError:
    """Return the error of this package that stands for an exception of Spark's; one of ours is returned as it is."""
    if isinstance(error, SparkcoreError):
        return error
    types = error_types()
    nearest = next(base for base in type(error).__mro__ if base in types)
    return types[nearest](reason(error))


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
    return (named[-1] if named else first_line(error))[:_MAX_MESSAGE_LENGTH]


def cause(error: BaseException) -> str:
    """Return one line that says why Spark failed: the innermost cause of a Java exception, else the first line."""
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    thrown = [line.removeprefix(": ") for line in lines if line.startswith(": ")]
    told = causes[-1:] or thrown[:1] or [first_line(error)]
    return _without_class(told[0])[:_MAX_MESSAGE_LENGTH]


def _without_class(line: str) -> str:
    """Leave out the name of a Java class before its message; a class without a message is all there is."""
    name, colon, message = line.partition(": ")
    return message if colon and message and _JAVA_CLASS.fullmatch(name) else line
