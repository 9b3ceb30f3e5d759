"""The environment of a child process that runs this package."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE_ROOT = Path(__file__).resolve().parents[1]


def child_environment() -> dict[str, str]:
    """Return the environment with a PYTHONPATH that finds this package.

    Empty entries are left out: Python takes them for the current folder. The JVM of a spark-submit is left out, too: it
    belongs to this process alone.
    """
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if str(_PACKAGE_ROOT) not in paths:
        paths.insert(0, str(_PACKAGE_ROOT))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_GATEWAY_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths)}
