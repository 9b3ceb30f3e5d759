from __future__ import annotations

import inspect

import py4j.protocol
import pyspark.errors
import pytest

from sparkcore.engine.spark_errors import error_types, reason, to_sparkcore_error
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
    assert isinstance(to_sparkcore_error(py4j.protocol.Py4JNetworkError("gone")), EngineError)
    assert isinstance(to_sparkcore_error(ConnectionRefusedError(111, "refused")), EngineError)
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
