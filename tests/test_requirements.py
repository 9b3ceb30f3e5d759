"""pyproject.toml has the ranges, requirements*.txt the exact versions, requirements*.lock all of it with hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RANGES = {
    "requirements.txt": [*PROJECT["dependencies"], *EXTRAS["int8"], *EXTRAS["dashboard"]],
    "requirements-dev.txt": [line for line in EXTRAS["dev"] if not line.startswith("sparkcore[")],
}


def pins(name: str) -> dict[str, Requirement]:
    """Return the requirements of a file by name."""
    lines = (line.partition(" #")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def version(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "==", requirement
    return specifier.version


def locked(name: str) -> dict[str, tuple[str, str]]:
    """Return version and hashes of each locked requirement."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)==([^\s;]+)(.*(?:\n    --hash=\S+(?: \\)?)*)", text, re.MULTILINE)
    return {canonicalize_name(package): (number, hashes) for package, number, hashes in entries}


@pytest.mark.parametrize("name", sorted(RANGES))
def test_every_range_has_a_pin_inside(name: str) -> None:
    ranges = {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, RANGES[name])}
    pinned = pins(name)
    assert set(pinned) == set(ranges)
    assert [n for n in ranges if not ranges[n].specifier.contains(version(pinned[n]))] == []
    assert [n for n in ranges if ranges[n].extras != pinned[n].extras] == []


@pytest.mark.parametrize(
    ("lock", "files"),
    [
        ("requirements.lock", ["requirements.txt"]),
        ("requirements-dev.lock", ["requirements.txt", "requirements-dev.txt"]),
    ],
)
def test_every_pin_is_locked_with_hashes(lock: str, files: list[str]) -> None:
    entries = locked(lock)
    expected = {name: version(pin) for file in files for name, pin in pins(file).items()}
    assert {name: entries[name][0] for name in expected} == expected
    assert [name for name, (_, hashes) in entries.items() if "--hash=sha256:" not in hashes] == []


def test_both_locks_agree() -> None:
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: dev[name] for name in run} == run


@pytest.mark.parametrize("name", ["pyproject.toml", *RANGES, "requirements.lock", "requirements-dev.lock"])
def test_no_file_names_an_index(name: str) -> None:
    assert not re.search(r"https?://|--(?:extra-)?index|--find-links", (ROOT / name).read_text(encoding="utf-8"))
