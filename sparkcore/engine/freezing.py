"""Freeze the model in a child process: it frees TensorFlow's memory when it ends, and Spark starts in the meantime."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TypeVar

from sparkcore.config import cache_folder
from sparkcore.engine.elsewhere import Report, call_elsewhere
from sparkcore.engine.request import Request
from sparkcore.models.freeze import describe_frozen, freeze, is_frozen
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.resolve import ResolvedModel
from sparkcore.models.runtimes.choice import Computation
from sparkcore.models.runtimes.openvino import PACKED_SUFFIX
from sparkcore.runs.calibrations import fetch_graph
from sparkcore.storage.interface import Storage

T = TypeVar("T")

_CHECK_EVERY_S = 0.2


def start_freezing(model: ResolvedModel, computation: Computation) -> Future[FrozenModel]:
    """Start to freeze a model; the future is done at once if the model was frozen before."""
    if is_frozen(model, cache_folder()):
        done: Future[FrozenModel] = Future()
        done.set_result(_freeze((model, computation)))
        return done
    title = f"The model {model.name} could not be prepared"
    return in_background(lambda: call_elsewhere(_freeze, (model, computation), title))


def start_loading(request: Request, storage: Storage) -> Future[FrozenModel]:
    """Start to bring the model of a run to this machine: the frozen one, or the one in int8 from the store."""
    calibration = request.calibration
    if request.computation.precision != "int8" or calibration is None:
        return start_freezing(request.model, request.computation)
    path = cache_folder() / f"{calibration.quantized}{PACKED_SUFFIX}"

    def bring() -> FrozenModel:
        if path.is_file():
            with suppress(OSError):  # a cache that this user may only read
                path.touch()  # used: `gc` removes graphs that nobody has used for long
        else:
            fetch_graph(storage, calibration, path)
        return describe_frozen(request.model, path, calibration.quantized, request.computation)

    return in_background(bring)


def in_background(work: Callable[[], T]) -> Future[T]:
    """Do work in a thread of its own."""
    pool = ThreadPoolExecutor(1, "model")
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


def result_of(future: Future[T], check: Callable[[], None]) -> T:
    """Wait for a result; `check` is called several times a second, and gives up by raising."""
    while not wait([future], timeout=_CHECK_EVERY_S).done:
        check()
    return future.result()


def _freeze(asked: tuple[ResolvedModel, Computation], _report: Report | None = None) -> FrozenModel:
    model, computation = asked
    return freeze(model, computation.precision, cache_folder(), computation.runtime)
