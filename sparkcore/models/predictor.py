"""Load a frozen model into the runtime that the driver chose, and predict with it."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np
import numpy.typing as npt

from sparkcore.errors import ConfigError
from sparkcore.models.feature_file import read_head
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.runtimes.choice import RUNTIMES
from sparkcore.models.runtimes.interface import Outputs

CACHED_PREDICTORS = 2

_predictors: OrderedDict[tuple[str, str, str, bool, int | None], Predictor] = OrderedDict()
_lock = Lock()


class Predictor:
    """Predict batches of images; safe to call from several threads.

    `head` is the dense layer behind the feature map, None for a model without one, and where no features are asked for.
    """

    def __init__(self, frozen: FrozenModel, threads: int | None) -> None:
        self._frozen = frozen
        self._call = RUNTIMES[frozen.runtime].open_graph(frozen, threads)
        self.head = read_head(frozen.path) if frozen.features is not None else None

    def predict(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the probabilities, float32 [n, classes], of uint8 RGB images [n, height, width, 3]; see `compute`."""
        return self.compute(batch).scores

    def compute(self, batch: npt.NDArray[np.uint8]) -> Outputs:
        """Return the probabilities, float32 [n, classes], and the feature maps, float32 [n, height, width, channels].

        Raises ConfigError for another type or shape, ModelError for a graph that cannot compute them, RunFailedError
        where memory runs out.
        """
        expected = (self._frozen.height, self._frozen.width, 3)
        if not isinstance(batch, np.ndarray) or batch.dtype != np.uint8 or batch.shape[1:] != expected:
            received = f"{getattr(batch, 'dtype', type(batch).__name__)} {getattr(batch, 'shape', '')}"
            raise ConfigError(f"batch: expected uint8 RGB images [n, {', '.join(map(str, expected))}], got {received}.")
        if not len(batch):
            return Outputs(np.empty((0, len(self._frozen.class_ids)), np.float32), None)
        return self._call(batch)


def load_predictor(frozen: FrozenModel, threads: int | None = None) -> Predictor:
    """Return the predictor of a frozen model; a process keeps the two used last.

    `threads` limits the cores that one batch uses (None: all). Inputs and outputs are uint8 and float32 in any
    precision. Raises ModelError for a file that is missing or damaged, EngineError where this machine does not compute
    in the model's precision.
    """
    key = (frozen.digest, frozen.runtime, frozen.precision, frozen.features is not None, threads)
    with _lock:
        if key not in _predictors:
            _predictors[key] = Predictor(frozen, threads)
            if len(_predictors) > CACHED_PREDICTORS:
                _predictors.popitem(last=False)
        _predictors.move_to_end(key)
        return _predictors[key]
