"""Freeze the model in a child process: it frees TensorFlow's memory when it ends, and Spark starts in the meantime."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor

from sparkcore.child import child_environment
from sparkcore.config import cache_folder
from sparkcore.errors import RunFailedError, SparkcoreError
from sparkcore.models.freeze import freeze, is_frozen
from sparkcore.models.frozen import FrozenModel
from sparkcore.models.resolve import ResolvedModel
from sparkcore.models.runtimes.choice import Computation

_PROGRAM = "from sparkcore.engine.freezing import main; main()"


def start_freezing(model: ResolvedModel, computation: Computation) -> Future[FrozenModel]:
    """Start to freeze a model; the future is done at once if the model was frozen before."""
    if is_frozen(model, cache_folder()):
        done: Future[FrozenModel] = Future()
        done.set_result(_freeze(model, computation))
        return done
    pool = ThreadPoolExecutor(1, "freeze")
    future = pool.submit(_freeze_elsewhere, model, computation)
    pool.shutdown(wait=False)
    return future


def main() -> None:
    """Read (model, computation) from standard input and write the frozen model or the error to standard output."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # TensorFlow's output must not mix with the answer
    model, computation = pickle.load(sys.stdin.buffer)
    try:
        result: FrozenModel | SparkcoreError = _freeze(model, computation)
    except SparkcoreError as error:
        result = error
    pickle.dump(result, answer)
    answer.close()


def _freeze(model: ResolvedModel, computation: Computation) -> FrozenModel:
    return freeze(model, computation.precision, cache_folder(), computation.runtime)


def _freeze_elsewhere(model: ResolvedModel, computation: Computation) -> FrozenModel:
    child = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=pickle.dumps((model, computation)),
        capture_output=True,
        env=child_environment(),
        check=False,
    )
    if child.returncode:
        last_lines = child.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise RunFailedError(f"The model {model.name} could not be prepared: {' '.join(last_lines)}")
    result = pickle.loads(child.stdout)
    if isinstance(result, SparkcoreError):
        raise result
    return result
