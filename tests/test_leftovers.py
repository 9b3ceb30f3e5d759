from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.leftovers import Leftovers


def test_a_process_and_a_temporary_file_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMPDIR", "SPARK_LOCAL_DIRS", "SPARKCORE_TEST_RUN"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    leftovers = Leftovers.begin()
    assert leftovers.found() == []
    (tmp_path / "home" / ".keras").mkdir(parents=True)
    (tmp_path / "home" / ".keras" / "model.h5").touch()
    with subprocess.Popen(["sleep", "60"]) as sleeping, tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == leftovers.temporary
        assert leftovers.found(patience_s=0) == [
            f"process {sleeping.pid}: sleep 60 ", file.name, str(tmp_path / "home" / ".keras" / "model.h5"),
        ]  # fmt: skip
        sleeping.kill()
    leftovers.remove()
    assert not leftovers.temporary.exists()
