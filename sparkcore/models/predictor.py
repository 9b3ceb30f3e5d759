"""Load a frozen graph and predict with it: the only reason why a worker needs TensorFlow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkcore.errors import ConfigError
from sparkcore.models.framework_errors import framework_errors
from sparkcore.models.freeze import FrozenModel
from sparkcore.models.graph import INPUT_NAME, OUTPUT_NAME
from sparkcore.models.processor import computes_bfloat16
from sparkcore.models.tensorflow_import import import_tensorflow

CACHED_PREDICTORS = 2

_predictors: OrderedDict[tuple[str, str, int | None], Predictor] = OrderedDict()
_lock = Lock()


class Predictor:
    """Predict batches of images; safe to call from several threads."""

    def __init__(self, frozen: FrozenModel, threads: int | None) -> None:
        self._frozen = frozen
        self._call = _open_session(frozen, threads)

    def predict(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the probabilities, float32 [n, classes], of uint8 RGB images [n, height, width, 3].

        Raises ConfigError for another type or shape, ModelError for a graph that cannot compute them, RunFailedError
        where memory runs out.
        """
        expected = (self._frozen.height, self._frozen.width, 3)
        if not isinstance(batch, np.ndarray) or batch.dtype != np.uint8 or batch.shape[1:] != expected:
            received = f"{getattr(batch, 'dtype', type(batch).__name__)} {getattr(batch, 'shape', '')}"
            raise ConfigError(f"batch: expected uint8 RGB images [n, {', '.join(map(str, expected))}], got {received}.")
        if not len(batch):
            return np.empty((0, len(self._frozen.class_ids)), np.float32)
        with framework_errors(f"model: predicting {len(batch)} images failed"):
            scores = [np.asarray(self._call(piece)) for piece in _pieces(batch)]
        return scores[0] if len(scores) == 1 else np.concatenate(scores)


def load_predictor(frozen: FrozenModel, threads: int | None = None) -> Predictor:
    """Return the predictor of a frozen model; a process keeps the two used last.

    `threads` limits the cores that one batch uses (None: all). Precision "bfloat16" takes effect only on processors
    that support it (see `processor`); inputs, outputs, the last layer and the softmax are float32 in any case. Raises
    ModelError for a file that is missing or damaged.
    """
    key = (frozen.digest, frozen.precision, threads)
    with _lock:
        if key not in _predictors:
            _predictors[key] = Predictor(frozen, threads)
            if len(_predictors) > CACHED_PREDICTORS:
                _predictors.popitem(last=False)
        _predictors.move_to_end(key)
        return _predictors[key]


def _pieces(batch: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.uint8]]:
    """Split a batch into pieces whose lengths are powers of two.

    TensorFlow prepares its kernels anew for every length it has not seen: ResNet50 classified batches of 12 to 18
    images at 6.9 images/s, and batches of equal length at 8.3.
    """
    start = 0
    while start < len(batch):
        length = 1 << ((len(batch) - start).bit_length() - 1)
        yield batch[start : start + length]
        start += length


def _open_session(frozen: FrozenModel, threads: int | None) -> Any:
    tf = import_tensorflow(with_keras=False)
    graph_def = tf.compat.v1.GraphDef()
    with framework_errors(f"model: {frozen.path} is no frozen graph; delete it and run again"):
        graph_def.ParseFromString(frozen.path.read_bytes())
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
    session = tf.compat.v1.Session(graph=graph, config=_session_config(frozen.precision, threads))
    return session.make_callable(OUTPUT_NAME, feed_list=[INPUT_NAME])


def _session_config(precision: str, threads: int | None) -> Any:
    import tensorflow as tf
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

    config = tf.compat.v1.ConfigProto(
        # Without this, the first session of a process sets the number of threads for all later ones.
        use_per_session_threads=True,
        intra_op_parallelism_threads=threads or 0,
        # One operation at a time: a classifier is a chain, and more pools would take cores from decoding.
        inter_op_parallelism_threads=1,
    )
    config.gpu_options.allow_growth = True  # leave room for the other workers of this machine
    if precision == "bfloat16" and computes_bfloat16():
        config.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = RewriterConfig.ON
    return config
