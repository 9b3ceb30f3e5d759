"""Check of untrusted pictures in a child process with bounds on pixels, memory and time.

A hostile file can make a decoder take gigabytes, hang or crash; here it only costs the child.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO

from PIL import AvifImagePlugin, Image

from sparkcore.child import child_environment
from sparkcore.errors import ImageError, RunFailedError
from sparkcore.imaging.decode import FORMATS, ImageSize, decode

_PROGRAM = "from sparkcore.imaging.bounded import main; main()"
_READY = b"ready\n"
_START_LIMIT_S = 60.0
_HEADER = struct.Struct(">Q")
_PREVIEW = ImageSize(64, 64)  # large JPEG files are decoded at a fraction of their size
_MEMORY_IN_USE = Path("/proc/self/statm")  # Linux
_AT_ONCE = threading.BoundedSemaphore(2)  # so that many uploads at a time do not add up


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limit what one picture may take: pixels, memory beyond that of an idle child, and time to check it.

    Memory is bounded on Linux only.
    """

    pixels: int = 100_000_000
    memory_bytes: int = 1_500_000_000
    time_s: float = 30.0


class PictureChecker:
    """Decode pictures in a child process, which starts with the first one; use it in a `with` statement."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PictureChecker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def check(self, content: bytes) -> None:
        """Raise ImageError unless the picture can be decoded within the bounds.

        The child that a picture ended is replaced for the next one. Raises RunFailedError where none can be started.
        """
        with _AT_ONCE:
            child = self._started()
            with _killed_after(self._bounds.time_s, child) as overdue:
                answer = _ask(child, content)
        if answer is None or overdue.is_set():
            self._end()
            raise _fatal(child.returncode, self._bounds, is_overdue=overdue.is_set())
        if answer:
            raise ImageError(answer["error_type"], answer["message"])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = _start(self._bounds)
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            _kill(child)


def main() -> None:
    """Answer each length-prefixed picture on standard input with one line of JSON: {} or the reason against it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a decoder prints must not mix with the answers
    warnings.simplefilter("ignore")  # what matters is in the answers
    bounds = Bounds(**json.loads(sys.argv[1]))
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the stack of each thread counts as memory
    _bound_memory(bounds.memory_bytes)
    answers.write(_READY)
    answers.flush()
    while header := sys.stdin.buffer.read(_HEADER.size):
        answer = _judge(sys.stdin.buffer.read(*_HEADER.unpack(header)), bounds)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _bound_memory(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _MEMORY_IN_USE.is_file():
        pages = int(_MEMORY_IN_USE.read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _judge(content: bytes, bounds: Bounds) -> dict[str, str]:
    try:
        pixels = _pixels(content)
        if pixels > bounds.pixels:
            said = f"{pixels // 10**6:,} million pixels, more than the limit of {bounds.pixels // 10**6:,}"
            raise ImageError("too_large", said)
        decode(content, target=_PREVIEW)
    except ImageError as error:
        return {"error_type": error.error_type, "message": error.message}
    return {}


def _pixels(content: bytes) -> int:
    """Return the pixel count of the header, or 0 without one: decoding then finds the reason."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as source:
            return source.width * source.height
    except Exception:  # noqa: BLE001 (damaged bytes raise anything)
        return 0


def _start(bounds: Bounds) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, json.dumps(asdict(bounds))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**child_environment(), "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert child.stdout is not None
    with _killed_after(_START_LIMIT_S, child):
        is_ready = child.stdout.readline() == _READY
    if not is_ready:
        _kill(child)
        raise RunFailedError("The process that checks pictures could not be started. The server's log has the reason.")
    return child


def _kill(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    with suppress(BrokenPipeError), child:  # closes the pipes, where bytes may be left to send, and waits
        pass


def _ask(child: subprocess.Popen[bytes], content: bytes) -> dict[str, str] | None:
    """Return the child's answer, or None where it died."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        _send(child.stdin, content)
    except BrokenPipeError:
        return None
    line = child.stdout.readline()
    return json.loads(line) if line.endswith(b"\n") else None


def _send(stream: IO[bytes], content: bytes) -> None:
    stream.write(_HEADER.pack(len(content)))
    stream.write(content)
    stream.flush()


@contextmanager
def _killed_after(limit_s: float, child: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """Kill the child, and set the event, unless the block ends within the limit: its reads and writes then end too."""
    overdue = threading.Event()

    def kill() -> None:
        overdue.set()
        child.kill()

    timer = threading.Timer(limit_s, kill)
    timer.daemon = True
    timer.start()
    try:
        yield overdue
    finally:
        timer.cancel()


def _fatal(status: int, bounds: Bounds, *, is_overdue: bool) -> ImageError:
    if is_overdue:
        return ImageError("too_large", f"Decoding takes more than {bounds.time_s:g} s.")
    memory_mb = bounds.memory_bytes // 10**6
    return ImageError(
        "too_large", f"The decoder crashed (status {status}): hostile, or over {memory_mb:,} MB of memory."
    )
