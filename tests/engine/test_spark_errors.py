from __future__ import annotations

import inspect

import py4j.protocol
import pyspark.errors
import pytest

from sparkcore.engine.spark_errors import cause, error_types, reason, to_sparkcore_error
from sparkcore.errors import EngineError, InputError, ModelError, RunFailedError, SparkcoreError

SPARKS_OWN = [
    one
    for module in (pyspark.errors, py4j.protocol)
    for _, one in inspect.getmembers(module, inspect.isclass)
    if issubclass(one, Exception) and one.__module__.startswith(("pyspark", "py4j"))
]


def test_the_list_is_long() -> None:
    assert len(SPARKS_OWN) > 20


@pytest.mark.parametrize("kind", SPARKS_OWN, ids=lambda kind: kind.__name__)
def test_every_exception_of_spark_is_mapped(kind: type[Exception]) -> None:
    types = error_types()
    nearest = next(base for base in kind.__mro__ if base in types)
    assert nearest is not Exception, "it falls through to the last entry"
    assert issubclass(types[nearest], SparkcoreError)


def test_kinds_that_matter() -> None:
    assert isinstance(to_sparkcore_error(pyspark.errors.AnalysisException("no such path")), InputError)
    for lost in (py4j.protocol.Py4JNetworkError("gone"), ConnectionRefusedError(111, "refused"), EOFError()):
        told = to_sparkcore_error(lost)
        assert isinstance(told, EngineError)
        assert "The connection to Spark was lost (" in str(told)
    assert type(to_sparkcore_error(ValueError("x"))) is RunFailedError
    own = ModelError("no graph")
    assert to_sparkcore_error(own) is own


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("Job aborted\nOutOfMemoryError: heap", "OutOfMemoryError: heap"),
        ('Traceback:\n  File "a.py", line 1\n    x\nValueError: 3\n\tat java', "ValueError: 3"),
        ("plain", "plain"),
        ("", "ValueError"),
    ],
)
def test_reason(text: str, telling: str) -> None:
    assert reason(ValueError(text)) == telling


JAVA = """An error occurred while calling {what}.
: org.apache.spark.SparkException: Exception thrown in awaitResult:
\tat org.apache.spark.util.SparkThreadUtils$.awaitResult(SparkThreadUtils.scala:70)
Caused by: org.apache.spark.SparkException: {outer}
\tat java.base/java.lang.ProcessBuilder.start(ProcessBuilder.java:1143)
Caused by: {inner}
\t... 28 more
"""
WORKER = """An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "pyspark.zip/pyspark/worker.py", line 1920, in read_udfs
    import pyarrow as pa
"""


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        (
            JAVA.format(
                what="o76.getResult",
                outer='Job aborted: Lost task 0.3: java.io.IOException: Cannot run program "/no/python": error=2, No '
                "such file or directory",
                inner="java.io.IOException: error=2, No such file or directory",
            ),
            "Expected Python at /no/python on the executors, but one of them cannot start it. Name a suitable Python",
        ),
        (
            f"{WORKER}ModuleNotFoundError: No module named 'pyarrow.lib'",
            "with the packages of sparkcore's requirements.txt, but one of them has no pyarrow.lib. Install",
        ),
        (
            f"{WORKER}pyspark.errors.exceptions.base.PySparkImportError: [PACKAGE_NOT_INSTALLED] PyArrow >= 18.0.0 "
            "must be installed; however, it was not found.",
            "but one of them has no PyArrow >= 18.0.0. Install them",
        ),
        (
            f"{WORKER}pyspark.errors.exceptions.base.PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker "
            "has different version: 3.12 than that in driver: 3.11, PySpark cannot run with different minor versions.\n"
            "Please check environment variables PYSPARK_PYTHON and PYSPARK_DRIVER_PYTHON are correctly set.",
            "Expected executors with the driver's version of Python, 3.11, found 3.12 on an executor. Name a suitable",
        ),
        (
            JAVA.format(
                what="o76.getResult", outer="[SPARK_JOB_CANCELLED] Job 0 cancelled", inner="java.lang.Exception: x"
            ),
            "Spark's job was cancelled from outside",
        ),
        ("[OPERATION_CANCELED] Operation has been canceled. SQLSTATE: HY008", "Spark's job was cancelled from outside"),
        ("Job 3 cancelled because SparkContext was shut down", "Spark's driver has ended"),
        ("[INVALID_HANDLE.SESSION_CLOSED] The handle is invalid. Session was closed.", "Spark's driver has ended"),
    ],
)
def test_what_is_nobodys_image(text: str, telling: str) -> None:
    for raised in (pyspark.errors.PySparkException(text), RuntimeError(text)):
        told = to_sparkcore_error(raised)
        assert type(told) is EngineError
        assert telling in str(told)


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        (
            JAVA.format(
                what="None.org.apache.spark.api.java.JavaSparkContext",
                outer="java.net.ConnectException: Call to host:1 failed: Connection refused",
                inner="java.net.ConnectException: Connection refused",
            ),
            "java.net.ConnectException: Call to host:1 failed: Connection refused",
        ),
        (
            JAVA.format(what="x", outer="An error has occurred.", inner="java.io.IOException: refused: /h:1"),
            "refused: /h:1",
        ),
        (
            JAVA.format(what="x", outer="first", inner="java.lang.IllegalStateException"),
            "java.lang.IllegalStateException",
        ),
        (
            "[JAVA_GATEWAY_EXITED] Java gateway process exited\nmore",
            "[JAVA_GATEWAY_EXITED] Java gateway process exited",
        ),
    ],
)
def test_the_cause(text: str, telling: str) -> None:
    assert cause(RuntimeError(text)) == telling
    assert reason(RuntimeError(text)) == telling
