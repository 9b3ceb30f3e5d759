"""A child process that answers questions within bounds on memory and time, and is replaced when one ends it.

A hostile file can make a decoder take gigabytes, hang or crash; here it only costs the child. The child is no sandbox:
it has the rights of its parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from PIL import AvifImagePlugin

from sparkcore.child import child_environment
from sparkcore.errors import RunFailedError

_PROGRAM = """
from sparkcore.imaging.bounded_child import Limits, serve
from {module} import {function}
serve({function}, {limits!r})
"""
_READY = b"ready\n"
_START_LIMIT_S = 60.0
_ORPHAN_S = 5.0  # beyond the time limit, when the parent must have killed the child unless it is gone itself
_HEADER = struct.Struct(">I")
_MEMORY_IN_USE = Path("/proc/self/statm")  # Linux
_READINESS_TO_DIE = Path("/proc/self/oom_score_adj")  # Linux
# One arena and no further threads: what each of them reserves counts as memory.
# Blocks from 256 KB on are returned to the system as soon as they are free: what was decoded before must not count.
_SPARING = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


class Message(NamedTuple):
    """A question or an answer: `facts` are what JSON can hold, `blobs` are bytes or None."""

    facts: dict[str, Any]
    blobs: Sequence[bytes | None] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Limit what one question may take: memory beyond that of an idle child, on Linux only, and time."""

    memory_bytes: int
    time_s: float


class ChildDiedError(Exception):
    """The child died of a question, or was killed because it was overdue; `cause` names the signal or exit status."""

    def __init__(self, status: int, *, is_overdue: bool) -> None:
        self.cause = signal.Signals(-status).name if status < 0 else f"status {status}"
        self.is_overdue = is_overdue
        super().__init__(self.cause)


class BoundedChild:
    """Have `answer`, a function of a module, answer questions in a child process, which starts with the first one.

    One thread at a time may ask; `kill` may be called from any.
    """

    def __init__(self, answer: Callable[[Message], Message], limits: Limits) -> None:
        self._answer, self._limits = answer, limits
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id of the child, or None where there is none."""
        return self._process.pid if self._process else None

    def ask(self, question: Message) -> Message:
        """Return the child's answer; the next question gets a new child if this one ends it.

        Raises ChildDiedError, and RunFailedError where no child can be started.
        """
        process = self._running()
        with _killed_after(self._limits.time_s, process) as overdue:
            answer = _exchange(process, question)
        if answer is None or overdue.is_set():
            self.end()
            raise ChildDiedError(process.returncode, is_overdue=overdue.is_set())
        return answer

    def kill(self) -> None:
        """Make a question that another thread is asking end at once."""
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """End the child and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._process = _start(self._answer, self._limits)
        return self._process


def serve(answer: Callable[[Message], Message], limits: Limits) -> None:
    """Answer the questions on standard input until it ends; a child runs this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a decoder prints must not mix with the answers
    warnings.simplefilter("ignore")  # what matters is in the answers
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the stack of each thread counts as memory
    _bound_memory(limits.memory_bytes)
    answers.write(_READY)
    answers.flush()
    with suppress(BrokenPipeError):  # the parent is gone
        while (question := _receive(sys.stdin.buffer)) is not None:
            # Not handled, so that it ends even a decoder that never returns to Python.
            signal.setitimer(signal.ITIMER_REAL, limits.time_s + _ORPHAN_S)
            reply = answer(question)
            signal.setitimer(signal.ITIMER_REAL, 0)
            _send(answers, reply)


def _bound_memory(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        _READINESS_TO_DIE.write_text("1000", encoding="ascii")  # where memory is short, die before the parent
    if _MEMORY_IN_USE.is_file():
        pages = int(_MEMORY_IN_USE.read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory_bytes
        _, inherited = resource.getrlimit(resource.RLIMIT_AS)  # Spark may limit its workers; a limit cannot be raised
        if inherited == resource.RLIM_INFINITY or limit < inherited:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _start(answer: Callable[[Message], Message], limits: Limits) -> subprocess.Popen[bytes]:
    program = _PROGRAM.format(module=answer.__module__, function=answer.__name__, limits=limits)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", program],  # -P keeps the current folder off the import path
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**child_environment(sys.path), **_SPARING},
        )
    except OSError as error:
        raise RunFailedError(f"A process that decodes pictures could not be started: {error}.") from error
    assert process.stdout is not None
    with _killed_after(_START_LIMIT_S, process):
        is_ready = process.stdout.readline() == _READY
        if not is_ready:
            process.wait()
    if not is_ready:
        _end(process)
        raise RunFailedError(
            f"A process that decodes pictures could not be started (exit status {process.returncode}). "
            "The log of the process that started it has the reason."
        )
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(BrokenPipeError), process:  # closes the pipes, where bytes may be left to send, and waits
        pass


@contextmanager
def _killed_after(limit_s: float, process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """Kill the child, and set the event, unless the block ends within the limit: its reads and writes then end too."""
    overdue = threading.Event()

    def kill() -> None:
        overdue.set()
        process.kill()

    timer = threading.Timer(limit_s, kill)
    timer.daemon = True
    timer.start()
    try:
        yield overdue
    finally:
        timer.cancel()


def _exchange(process: subprocess.Popen[bytes], question: Message) -> Message | None:
    """Return the child's answer, or None where it died."""
    assert process.stdin is not None
    assert process.stdout is not None
    answer = None
    with suppress(BrokenPipeError):
        _send(process.stdin, question)
        answer = _receive(process.stdout)
    if answer is None:
        process.wait()  # it closes its pipes before it has a status
    return answer


def _send(stream: IO[bytes], message: Message) -> None:
    sizes = [None if blob is None else len(blob) for blob in message.blobs]
    header = json.dumps([message.facts, sizes]).encode()
    stream.write(_HEADER.pack(len(header)) + header)
    for blob in message.blobs:
        stream.write(blob or b"")
    stream.flush()


def _receive(stream: IO[bytes]) -> Message | None:
    """Return the next message, or None where the stream ends before it does."""
    start = stream.read(_HEADER.size)
    if len(start) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack(start)
    header = stream.read(length)
    if len(header) < length:
        return None
    facts, sizes = json.loads(header)
    blobs = [None if size is None else stream.read(size) for size in sizes]
    is_whole = all(blob is None or len(blob) == size for blob, size in zip(blobs, sizes, strict=True))
    return Message(facts, blobs) if is_whole else None
