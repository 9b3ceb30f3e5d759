"""The lock of the one engine that serves a store, and the process id of its holder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sparkcore.runs.store import RunStore
from sparkcore.storage.local import write_json

_PATIENCE_S = 1.0  # longer than `engine_pid` holds the lock
_STOP_LIMIT_S = 60.0


@contextmanager
def sole_engine(store: RunStore) -> Iterator[bool]:
    """Hold the engine lock of a store; yields False if another process holds it, unless that one is stopping."""
    lock, patience = _lock(store), time.monotonic() + _STOP_LIMIT_S
    while True:
        try:
            lock.acquire(timeout=_PATIENCE_S)
            break
        except Timeout:
            if _pid_path(store).exists() or time.monotonic() > patience:
                yield False
                return
    try:
        write_json(_pid_path(store), {"pid": os.getpid(), "started_at": time.time()})
        yield True
    finally:
        _pid_path(store).unlink(missing_ok=True)
        lock.release()


def announce_stop(store: RunStore) -> None:
    """Let `engine_pid` know that the holder of the lock takes no more jobs, so that another engine is started."""
    _pid_path(store).unlink(missing_ok=True)


def engine_pid(store: RunStore) -> int | None:
    """Return the process id of the engine that serves a store, or None."""
    if not _pid_path(store).exists():
        return None
    try:
        with _lock(store).acquire(blocking=False):
            return None
    except Timeout:
        pass
    except OSError:  # a store that this user may only read
        return None
    try:
        return int(json.loads(_pid_path(store).read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError):  # the engine has the lock and writes its process id just now
        return None


def _lock(store: RunStore) -> FileLock:
    path = store.state / "locks" / "engine.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def _pid_path(store: RunStore) -> Path:
    return store.state / "locks" / "engine.json"
