"""Import TensorFlow on demand and silently."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def import_tensorflow() -> Any:
    """Return the module `tensorflow`.

    Standard error is silenced during the import: TensorFlow writes notes about missing GPU drivers before its log level
    takes effect, and they would garble a progress bar. Errors are exceptions and still arrive.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:
        with _silence():
            import tensorflow as tf
        return tf
    return sys.modules["tensorflow"]


@contextmanager
def _silence() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
