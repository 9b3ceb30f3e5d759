"""What Spark's data sources say of a path or URI that they cannot list, in one line and without passwords."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sparkcore.errors import InputError, StorageError, first_line
from sparkcore.origins import without_password

_MAX_REASON_LENGTH = 300
_CLASS_NAMES = re.compile(r"^(?:\(?(?:[a-z]\w*\.)+[A-Z][\w$]*\)?:? +)+")
_UNREACHABLE = re.compile(
    r"refused|timed out|[Uu]nreachable|UnknownHost|No route|Login failed|[Pp]ermission|[Dd]enied|[Ff]orbidden"
)
_NO_DRIVER = r"Class \S+ not found|No FileSystem for scheme|UNSUPPORTED_FILE_SYSTEM"
_ADVICE = {
    _NO_DRIVER: "Spark has no driver for {scheme}://. Name its package in the setting spark.jars.packages.",
    r"Incomplete HDFS URI": "Name the host as in hdfs://host:8020/folder.",
    r"Login failed|Invalid username": "Check the user and the password in the address.",
    r"refused|timed out|[Uu]nreachable|UnknownHost|No route": "Check the host, the port and the network.",
}
_OTHER_ADVICE = "Check the address, the file system's driver and its credentials."


@contextmanager
def listed_by_spark(uri: str, check: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Raise InputError and StorageError in the place of Spark's exceptions; `check` raises for a cancelled request."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        check()
        # The chain of exceptions has hundreds of lines, and may have the password.
        raise _error(uri, error) from None


def _error(uri: str, error: Exception) -> InputError | StorageError:
    cause = _cause(error)
    text = f"{_CLASS_NAMES.sub('', cause).rstrip('.') or cause}"[:_MAX_REASON_LENGTH]
    advice = next((advice for pattern, advice in _ADVICE.items() if re.search(pattern, cause)), _OTHER_ADVICE)
    kind = StorageError if _UNREACHABLE.search(cause) else InputError
    plain = without_password(uri)
    return kind(
        f"Expected a folder, a file, a pattern or a URI that Spark can list, received {plain!r}: "
        f"{without_password(text.replace(uri, plain))}. {advice.format(scheme=uri.partition(':')[0])}"
    )


def _cause(error: Exception) -> str:
    """Return the line that names the first cause: Java's stack traces end with it."""
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    raised = [line.removeprefix(": ") for line in lines if line.startswith(": ")]
    return next(iter([*causes[-1:], *raised]), first_line(error))
