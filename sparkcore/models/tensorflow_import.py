"""Import TensorFlow for a worker: on demand, silently, with its fast kernels."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # By default TensorFlow uses oneDNN only on processors with AVX-512. On two AVX2 cores it makes MobileNetV2
    # 2.8 times and ResNet50 1.25 times as fast; scores change by less than 5e-6.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # With precision bfloat16 the last layer and the softmax stay in float32; otherwise a score of 0.997 would be
    # rounded to 1.
    "TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_ALLOWLIST_REMOVE": "MatMul",
    "TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_INFERLIST_REMOVE": "Softmax",
}


def import_tensorflow(*, with_keras: bool = True) -> Any:
    """Return the module `tensorflow`, imported with `SETTINGS` unless the environment overrides them.

    Without Keras, which frozen graphs do not need, the first import takes half a second less. Standard error is
    silenced during the import: TensorFlow writes notes about missing GPU drivers before its log level takes effect,
    and they would garble a progress bar. Errors are exceptions and still arrive.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if "tensorflow" not in sys.modules:
        with _silence(), _older_keras(wanted=not with_keras):
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


@contextmanager
def _older_keras(*, wanted: bool) -> Iterator[None]:
    """Make TensorFlow look for Keras 2, which is not installed: looking for Keras 3 would import all of it."""
    name = "TF_USE_LEGACY_KERAS"
    before = os.environ.get(name)
    if wanted:
        os.environ[name] = "1"
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before
