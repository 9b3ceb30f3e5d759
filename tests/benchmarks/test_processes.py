from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import processes
from benchmarks.processes import run_json, watched


def test_the_last_line_of_a_program_is_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "probe.py").write_text("import sys; print('chatter'); print('{\"words\": %d}' % len(sys.argv))")
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    answer, seconds = run_json("probe", "one", "two")
    assert answer == {"words": 3}
    assert seconds > 0


def test_memory_of_children_counts():
    child = "import time; kept = bytearray(b'x') * 120_000_000; time.sleep(2)"
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"]
    )
    with watched({parent.pid}) as peak:
        parent.wait()
    assert 120 < peak.memory_mb < 400


def test_a_program_that_fails_says_why():
    with pytest.raises(RuntimeError, match="No module named"):
        run_json("benchmarks.nothing")
