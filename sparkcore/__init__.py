"""Image classification at any scale on Apache Spark: the public Python API.

Importing this module loads no library; each name loads its own module on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparkcore.version import __version__

if TYPE_CHECKING:
    from sparkcore.config import EngineConfig, RunConfig
    from sparkcore.engine.classification import classify
    from sparkcore.engine.finished import read_run
    from sparkcore.engine.pipeline import run
    from sparkcore.engine.reader import read_images
    from sparkcore.runs.opened import open_run

__all__ = ["EngineConfig", "RunConfig", "__version__", "classify", "open_run", "read_images", "read_run", "run"]

_MODULES = {
    "EngineConfig": "sparkcore.config",
    "RunConfig": "sparkcore.config",
    "classify": "sparkcore.engine.classification",
    "open_run": "sparkcore.runs.opened",
    "read_images": "sparkcore.engine.reader",
    "read_run": "sparkcore.engine.finished",
    "run": "sparkcore.engine.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
