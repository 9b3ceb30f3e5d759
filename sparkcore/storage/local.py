"""Atomic writes and locks on the local disk."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

_LOCK_POLL_S = 0.2
_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what is written there replaces `path` atomically.

    File and folder are flushed to the disk, so that a power cut leaves the old content or the new one. On an exception
    the temporary file is removed and `path` is left alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def creating(path: Path, content: bytes) -> Iterator[Path]:
    """Yield a flushed temporary file beside `path` with this content; the caller moves or links it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        temporary.write_bytes(content)
        _flush(temporary)
        yield temporary
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON atomically."""
    write_bytes(path, f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode())


@contextmanager
def hold_lock(path: Path, check: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold an exclusive lock between processes; the kernel releases it when a process dies.

    `check` is called while another process holds the lock, and gives up by raising.
    """
    path.parent.mkdir(parents=True, exist_ok=True)

    def is_cancelled() -> bool:
        if check is not None:
            check()
        return False

    with FileLock(path).acquire(poll_interval=_LOCK_POLL_S, cancel_check=is_cancelled):
        yield


def is_temporary(name: str) -> bool:
    """Tell whether a file name is one that an unfinished write has."""
    return _TEMPORARY.fullmatch(name) is not None


def _temporary(path: Path) -> Path:
    # Globs for finished files match suffixes: the temporary name must not end in that of the target.
    return path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
