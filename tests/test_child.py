from __future__ import annotations

import os
from pathlib import Path

import pytest

from sparkcore.child import child_environment

ROOT = str(Path(__file__).resolve().parents[1])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, [ROOT]),
        ("", [ROOT]),
        (f"/one{os.pathsep}", [ROOT, "/one"]),
        (f"/one{os.pathsep}{ROOT}", ["/one", ROOT]),
    ],
)
def test_the_package_is_found_and_the_current_folder_is_not(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: list[str]
):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    assert child_environment()["PYTHONPATH"].split(os.pathsep) == after


def test_a_child_does_not_use_the_jvm_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setenv("PYSPARK_GATEWAY_SECRET", "x")
    assert not [name for name in child_environment() if name.startswith("PYSPARK_GATEWAY")]


def test_further_folders_and_archives_follow_under_absolute_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"one{os.pathsep}/two")
    further = ["", "/two", "./sparkcore.zip", "/three"]
    found = child_environment(further)["PYTHONPATH"].split(os.pathsep)
    assert found == [ROOT, f"{tmp_path}/one", "/two", f"{tmp_path}/sparkcore.zip", "/three"]
