"""Map the exceptions of TensorFlow and Keras to this package's, by type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sparkcore.errors import ModelError, RunFailedError, SparkcoreError, first_line
from sparkcore.models.tensorflow_import import import_tensorflow

# What Python raises in Keras's loaders and in the parsers below them for a file or a model that they refuse.
REFUSALS = (ValueError, TypeError, OSError, LookupError, AttributeError, ImportError, NotImplementedError)
# Types in tf.errors: the graph or its input is at fault ...
MODEL_FAULTS = (
    "AlreadyExistsError",
    "DataLossError",
    "FailedPreconditionError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutOfRangeError",
    "UnimplementedError",
)
# ... or the machine.
MACHINE_FAULTS = (
    "AbortedError",
    "CancelledError",
    "DeadlineExceededError",
    "InternalError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnknownError",
)


@contextmanager
def framework_errors(message: str, refused: type[ModelError] = ModelError) -> Iterator[None]:
    """Turn what TensorFlow, Keras and protobuf raise inside into errors that begin with `message`.

    Raises `refused` where the model or its file is at fault, RunFailedError where the machine is (most often its
    memory). Errors of this package and those that nobody expects pass unchanged.
    """
    try:
        yield
    except SparkcoreError:
        raise
    except Exception as error:
        kind = _mapped_type(error, refused)
        if kind is None:
            raise
        raise kind(f"{message}: {_reason(error)}") from error


def _mapped_type(error: Exception, refused: type[ModelError]) -> type[SparkcoreError] | None:
    from google.protobuf.message import DecodeError

    known = import_tensorflow().errors
    if isinstance(error, (MemoryError, *(getattr(known, name) for name in MACHINE_FAULTS))):
        return RunFailedError
    if isinstance(error, (DecodeError, *REFUSALS, *(getattr(known, name) for name in MODEL_FAULTS))):
        return refused
    return None


def _reason(error: Exception) -> str:
    hint = " Use a smaller batch size." if type(error).__name__ == "ResourceExhaustedError" else ""
    return f"{type(error).__name__}: {first_line(error).rstrip('.')}.{hint}"
