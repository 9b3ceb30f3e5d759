"""Rules for the repository as a whole: files stay small, and the documentation names every setting and column."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.schema import ERROR_TYPES, KEEP_FIELDS, result_schema

ROOT = Path(__file__).resolve().parents[1]
PYTHON_FOLDERS = ("sparkcore", "pages", "benchmarks")
MAX_LINES = 280


def documentation() -> str:
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_files_stay_small() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in PYTHON_FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_every_setting_is_documented() -> None:
    flags = {f"--{field.name.replace('_', '-')}" for kind in (RunConfig, EngineConfig) for field in fields(kind)}
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", documentation()))
    assert flags - {"--images"} - documented == set()


def test_every_result_column_and_error_type_is_documented() -> None:
    names = {*result_schema(tuple(KEEP_FIELDS)).names, *ERROR_TYPES}
    documented = set(re.findall(r"`(\w+)`", documentation()))
    assert names - documented == set()
