"""The environment of a child process that runs this package."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_PACKAGE_ROOT = Path(__file__).resolve().parents[1]


def child_environment(further: Iterable[str] = ()) -> dict[str, str]:
    """Return the environment with a PYTHONPATH that finds this package, then what is in `further` folders and archives.

    With `sys.path` as `further`, the child finds all that this process does: packages that Spark ships are on that path
    alone, under relative names. Entries are absolute, so that they hold in any folder. Empty ones are left out: Python
    takes them for the current folder. The JVM of a spark-submit is left out, too: it belongs to this process alone.
    """
    own = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if str(_PACKAGE_ROOT) not in own:
        own.insert(0, str(_PACKAGE_ROOT))
    paths = dict.fromkeys(os.path.abspath(path) for path in (*own, *further) if path)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_GATEWAY_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths)}
