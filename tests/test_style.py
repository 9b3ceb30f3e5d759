"""Lint, types, size of files, and a repository that speaks of itself alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTHON_FOLDERS = ("sparkcore", "pages", "training", "benchmarks")
MOST_LINES = 280


@pytest.mark.parametrize("command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]])
def test_tools_find_nothing(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_stay_small() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in PYTHON_FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}


def test_every_setting_is_in_the_readme() -> None:
    from dataclasses import fields

    from sparkcore.config import EngineConfig, RunConfig

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    flags = {f.name: "--" + f.name.replace("_", "-") for kind in (RunConfig, EngineConfig) for f in fields(kind)}
    flags["images"] = "IMAGES"
    assert [flag for flag in flags.values() if flag not in readme] == []


def test_every_result_column_and_error_type_is_in_the_readme() -> None:
    from sparkcore.schema import ERROR_TYPES, KEEP_FIELDS, result_schema

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [*result_schema(tuple(KEEP_FIELDS)).names, *ERROR_TYPES]
    assert [name for name in names if f"`{name}`" not in readme] == []
