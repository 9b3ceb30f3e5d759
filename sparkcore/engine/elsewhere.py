"""Carry out a call in a process of its own: its memory is free afterwards, and it can be ended at any time.

The child ends with its parent, even where that is killed: its standard input ends then.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from sparkcore.background import in_background
from sparkcore.child import child_environment
from sparkcore.errors import RunFailedError, SparkcoreError
from sparkcore.progress import Step, Watch

A = TypeVar("A")
R = TypeVar("R")
Report = Callable[[Step], None]

_PROGRAM = "from sparkcore.engine.elsewhere import main; main()"
_CHECK_EVERY_S = 0.2
_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any


def call_elsewhere(work: Callable[[A, Report], R], argument: A, title: str, watch: Watch | None = None) -> R:
    """Return `work(argument, report)`, computed in a child process; `work` is a function of a module.

    The steps that it reports go to `watch`, in this thread. Raises what `work` and `watch.check` raise, and
    RunFailedError, which begins with `title`, where the child dies.
    """
    watch, steps = watch or Watch(), deque[Step]()
    with (
        tempfile.TemporaryDirectory(prefix="sparkcore-child-") as temporary,
        tempfile.TemporaryFile() as log,
        _start(log, temporary) as child,
    ):
        try:
            question = pickle.dumps((work, argument))
            answer = in_background(lambda _: _converse(child, question, steps.append), "elsewhere")
            while not wait([answer], timeout=_CHECK_EVERY_S).done or steps:
                watch.check()
                while steps:
                    watch.progress(steps.popleft())
        except BaseException:
            child.kill()
            raise
        result = answer.result()
        if result is None:
            child.wait()
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
            reason = " ".join(lines) or f"its process ended with status {child.returncode}"
            raise RunFailedError(f"{title}: {reason}")
    if isinstance(result.value, SparkcoreError):
        raise result.value
    return result.value


def main() -> None:
    """Read (work, argument) from standard input, and write steps and the result or its error to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    work, argument = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()

    def tell(message: Step | _Result) -> None:
        pickle.dump(message, answers)
        answers.flush()

    try:
        value = work(argument, tell)
    except SparkcoreError as error:
        value = error
    tell(_Result(value))


def _end_with_parent() -> None:
    """End this process when its standard input ends, which the parent keeps open as long as it waits."""
    while os.read(0, 1):
        pass
    shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)  # of this process alone; the parent can no longer do it
    os._exit(1)


def _start(log: IO[bytes], temporary: str) -> subprocess.Popen[bytes]:
    """Start the child; what it leaves in its folder for temporary files goes with it."""
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**child_environment(), "TMPDIR": temporary},
    )


def _converse(child: subprocess.Popen[bytes], question: bytes, report: Report) -> _Result | None:
    """Return the child's result, or None where it died."""
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(BrokenPipeError):
        child.stdin.write(question)
        child.stdin.flush()
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            message = pickle.load(child.stdout)
            if isinstance(message, _Result):
                return message
            report(message)
    return None
