"""The exceptions of this package.

A bad image is a row (`ImageError` never leaves a worker); a bad run is one of these:

    SparkcoreError
    ├── RequestError            the request was wrong: exit code 2
    │   ├── ConfigError         a parameter has an invalid value
    │   ├── InputError          no such path, or no file in it
    │   ├── ModelError          no such model, or its file or labels do not match
    │   │   └── WeightsError    the weights are not available
    │   ├── RunNotFoundError    no run of that id in the store
    │   └── StorageError        a folder or bucket cannot be reached, read or written
    │       └── NoAnswerError   an object store does not answer a request
    ├── RunFailedError          the request was right but the run failed: exit code 1
    │   └── EngineError         Spark, Java or the engine process failed
    ├── RunCancelledError       the run was cancelled: exit code 130
    └── ImageError              one image cannot be used: becomes a row with status "error"

Messages say what was expected, what was received and what to do. They are read in a shell, on a page and in a notebook:
what only a shell can do is kept apart, in `shell`.
"""

from __future__ import annotations


class SparkcoreError(Exception):
    """Root of the exceptions of this package; `shell` is advice for users of the command line alone."""

    def __init__(self, message: str = "", *, shell: str = "") -> None:
        super().__init__(message)
        self.shell = shell


class RequestError(SparkcoreError):
    """The request is wrong."""


class ConfigError(RequestError):
    """A parameter has an invalid value."""

    @classmethod
    def unexpected(cls, name: str, expected: str, received: object) -> ConfigError:
        """Build the standard message for parameter `name`."""
        return cls(f"{name}: expected {expected}, received {received!r}.")


class InputError(RequestError):
    """There are no images where the request says."""


class ModelError(RequestError):
    """The model, its labels or its file cannot be used."""


class WeightsError(ModelError):
    """The weights of a known model are neither on this machine nor downloadable."""


class RunNotFoundError(RequestError):
    """The store holds no such run."""


class StorageError(RequestError):
    """A folder or bucket cannot be reached, read or written."""


class NoAnswerError(StorageError):
    """An object store does not answer a request: nobody knows whether it was carried out."""


class RunFailedError(SparkcoreError):
    """The run failed, although the request was right."""


class EngineError(RunFailedError):
    """Spark, Java or the engine process failed."""


class RunCancelledError(SparkcoreError):
    """The run was cancelled; its finished images are kept."""


class ImageError(SparkcoreError):
    """One image cannot be used.

    `error_type` is one of `schema.ERROR_TYPES` and stable across versions; `message` is for readers.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return type(self), (self.error_type, self.message)


def shell_text(error: BaseException) -> str:
    """Return an error's message, with its advice for users of the command line."""
    return " ".join(filter(None, (str(error), getattr(error, "shell", ""))))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its type where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
