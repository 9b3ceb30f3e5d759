"""TensorFlow, the runtime on GPUs: a plain session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparkcore.models.framework_errors import framework_errors
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.graph import FEATURES_NAME, INPUT_NAME, OUTPUT_NAME
from sparkcore.models.runtimes.interface import Batch, Outputs
from sparkcore.models.tensorflow_import import import_tensorflow


def computes(precision: str) -> bool:
    """Tell whether this runtime computes in a precision: in float32 alone."""
    return precision == "float32"


def open_graph(frozen: FrozenModel, threads: int | None) -> TensorFlowGraph:
    """Open a frozen graph for a number of threads (None: all cores).

    Raises ModelError for a file that is missing or damaged.
    """
    tf = import_tensorflow()
    # Otherwise convolutions round their inputs to 10 bits, and scores change by more than 1e-5.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    graph_def = tf.compat.v1.GraphDef()
    with framework_errors(f"model: {frozen.path} is no frozen graph; delete it and run again"):
        graph_def.ParseFromString(frozen.path.read_bytes())
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
    names = [OUTPUT_NAME] if frozen.features is None else [OUTPUT_NAME, FEATURES_NAME]
    return TensorFlowGraph(tf.compat.v1.Session(graph=graph, config=_session_config(tf, threads)), names)


class TensorFlowGraph:
    """A session of its own; calls from several threads run side by side."""

    def __init__(self, session: Any, names: list[str]) -> None:
        self._call = session.make_callable(names, feed_list=[INPUT_NAME])

    def __call__(self, batch: Batch) -> Outputs:
        """Return the outputs of a batch; see `interface.OpenGraph`."""
        with framework_errors(f"model: predicting {len(batch)} images failed"):
            outputs = [self._call(piece) for piece in _pieces(batch)]
        columns = [np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]
        return Outputs(columns[0], columns[1] if len(columns) > 1 else None)


def _pieces(batch: Batch) -> Iterator[Batch]:
    """Split a batch into pieces whose lengths are powers of two: kernels are prepared anew for every other length."""
    start = 0
    while start < len(batch):
        length = 1 << ((len(batch) - start).bit_length() - 1)
        yield batch[start : start + length]
        start += length


def _session_config(tf: Any, threads: int | None) -> Any:
    config = tf.compat.v1.ConfigProto(
        # Without this, the first session of a process sets the number of threads for all later ones.
        use_per_session_threads=True,
        intra_op_parallelism_threads=threads or 0,
        # One operation at a time: a classifier is a chain, and more pools would take cores from decoding.
        inter_op_parallelism_threads=1,
    )
    config.gpu_options.allow_growth = True  # leave room for the other workers of this machine
    return config
