"""Logs of the state folder, which stay small."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

ENGINE_LOG, SPARK_LOG, DASHBOARD_LOG = "engine.log", "spark.log", "dashboard.log"
MAX_LOG_BYTES = 10_000_000


def log_path(state: Path, name: str) -> Path:
    """Return the path of a log, whose folder exists from now on and which has room for more."""
    path = state / "logs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    bound_log(path)
    return path


def bound_log(path: Path) -> None:
    """Move the content of a log that has grown too long into the file `<name>.1`, whose own content is lost.

    The log is emptied in place: the processes that append to it keep their descriptors.
    """
    with suppress(OSError):  # there is none, or no room for a copy
        if path.stat().st_size > MAX_LOG_BYTES:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            os.truncate(path, 0)
