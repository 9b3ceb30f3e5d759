"""The names that `import sparkcore` offers."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import sparkcore
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.classification import classify
from sparkcore.engine.finished import read_run
from sparkcore.engine.pipeline import run
from sparkcore.engine.reader import read_images
from sparkcore.runs.opened import open_run
from sparkcore.version import __version__

EXPECTED = {
    "EngineConfig": EngineConfig,
    "RunConfig": RunConfig,
    "__version__": __version__,
    "classify": classify,
    "open_run": open_run,
    "read_images": read_images,
    "read_run": read_run,
    "run": run,
}


def test_all_names_are_the_objects_of_their_modules() -> None:
    assert {name: getattr(sparkcore, name) for name in sparkcore.__all__} == EXPECTED
    assert set(sparkcore.__all__) <= set(dir(sparkcore))


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="module 'sparkcore' has no attribute 'nothing'"):
        _ = sparkcore.nothing  # type: ignore[attr-defined]


def test_modules_can_be_imported_from_the_package() -> None:
    namespace: dict[str, object] = {}
    exec("from sparkcore import origins", namespace)
    assert namespace["origins"] is import_module("sparkcore.origins")


def test_importing_loads_no_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import sparkcore; loaded = set(sys.modules) - before\n"
        "print(sorted({name.split('.')[0] for name in loaded} - set(sys.stdlib_module_names)))\n"
        "print(sorted(name for name in loaded if name.startswith('sparkcore')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['sparkcore']", "['sparkcore', 'sparkcore.version']"]
