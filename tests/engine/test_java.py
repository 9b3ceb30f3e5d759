from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.engine.java import check_java
from sparkcore.errors import EngineError


def pretend(folder: Path, banner: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{banner}' >&2\n")
    java.chmod(0o755)
    return folder


@pytest.mark.parametrize("banner", ['openjdk version "17.0.15" 2025-04-15', 'java version "25" 2025-09-16'])
def test_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, banner: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(pretend(tmp_path, banner)))
    check_java()


def test_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(pretend(tmp_path, 'openjdk version "11.0.2" 2019-01-15')))
    with pytest.raises(EngineError, match=r"found version 11\. Install Java 17 or newer"):
        check_java()


def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineError, match="found none in JAVA_HOME"):
        check_java()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"and found none\. Install Java"):
        check_java()
