"""Freeze the model in a child process: it frees TensorFlow's memory when it ends, and Spark starts in the meantime."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from sparkcore.background import in_background
from sparkcore.config import cache_folder
from sparkcore.engine.elsewhere import Report, call_elsewhere
from sparkcore.engine.request import Request
from sparkcore.models.freeze import describe_frozen, freeze, is_frozen
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.resolve import ResolvedModel
from sparkcore.models.runtimes.choice import Computation
from sparkcore.models.runtimes.openvino import PACKED_SUFFIX
from sparkcore.progress import Watch
from sparkcore.runs.calibrations import fetch_graph
from sparkcore.storage.interface import Storage


def start_freezing(model: ResolvedModel, computation: Computation) -> Future[FrozenModel]:
    """Start to freeze a model; the future is done at once if the model was frozen before.

    Whoever cancels the future ends the process that freezes.
    """
    if is_frozen(model, cache_folder()):
        done: Future[FrozenModel] = Future()
        done.set_result(_freeze((model, computation)))
        return done
    title = f"The model {model.name} could not be prepared"
    asked = (model, computation)
    return in_background(lambda check: call_elsewhere(_freeze, asked, title, Watch(check=check)), "model")


def start_loading(request: Request, storage: Storage) -> Future[FrozenModel]:
    """Start to bring the model of a run to this machine: the frozen one, or the one in int8 from the store."""
    calibration = request.calibration
    if request.computation.precision != "int8" or calibration is None:
        return start_freezing(request.model, request.computation)
    path = cache_folder() / f"{calibration.quantized}{PACKED_SUFFIX}"

    def bring(check: Callable[[], None]) -> FrozenModel:
        del check
        if path.is_file():
            with suppress(OSError):  # a cache that this user may only read
                path.touch()  # used: `gc` removes graphs that nobody has used for long
        else:
            fetch_graph(storage, calibration, path)
        return describe_frozen(request.model, path, calibration.quantized, request.computation)

    return in_background(bring, "model")


def _freeze(asked: tuple[ResolvedModel, Computation], _report: Report | None = None) -> FrozenModel:
    model, computation = asked
    return freeze(model, computation.precision, cache_folder(), computation.runtime)
