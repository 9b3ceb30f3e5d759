"""Every exception that leaves this package.

A bad image is a row (`ImageError` never leaves the worker); a bad run is one of these:

    SparkcoreError
    ├── RequestError            the request was wrong: exit code 2
    │   ├── ConfigError         a parameter has an impossible value
    │   ├── InputError          no such path, or no file in it
    │   ├── ModelError          no such model, or its file or labels do not fit
    │   │   └── WeightsError    the weights are not here and cannot be had
    │   └── RunNotFoundError    no run of that id in the store
    ├── RunFailedError          the run was right but failed: exit code 1
    │   └── EngineError         Spark, Java or the engine process could not do its part
    ├── RunCancelledError       somebody cancelled it: exit code 130
    └── ImageError              one image cannot be used: becomes a row with status "error"

Messages say what was expected, what was received and what to do.
"""

from __future__ import annotations


class SparkcoreError(Exception):
    """Root of everything that this package raises on purpose."""


class RequestError(SparkcoreError):
    """The request cannot be served as it stands."""


class ConfigError(RequestError):
    """A parameter has an impossible value."""

    @classmethod
    def unexpected(cls, name: str, expected: str, received: object) -> ConfigError:
        """Build the standard message for parameter `name`."""
        return cls(f"{name}: expected {expected}, received {received!r}.")


class InputError(RequestError):
    """The images are not where the request says."""


class ModelError(RequestError):
    """The model, its labels or its file cannot be used."""


class WeightsError(ModelError):
    """The weights of a known model are not on this machine and cannot be downloaded."""


class RunNotFoundError(RequestError):
    """The store holds no such run."""


class RunFailedError(SparkcoreError):
    """A run that was properly requested could not be finished."""


class EngineError(RunFailedError):
    """Spark, Java or the engine process could not do its part."""


class RunCancelledError(SparkcoreError):
    """A run was cancelled; its finished parts stay."""


class ImageError(SparkcoreError):
    """One image cannot be used.

    `error_type` is one of `schema.ERROR_TYPES` and stable across versions; the message is for people.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return type(self), (self.error_type, self.message)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its type where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
