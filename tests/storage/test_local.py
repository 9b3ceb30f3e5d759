from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sparkcore.child import child_environment
from sparkcore.storage.local import hold_lock, replacing, write_json

HOLDER = """
import sys
from pathlib import Path
from sparkcore.storage.local import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_content_appears_whole(tmp_path: Path):
    path = tmp_path / "new" / "file.json"
    write_json(path, {"é": 1})
    assert path.read_text(encoding="utf-8") == '{\n  "é": 1\n}\n'
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_a_failed_write_leaves_the_old_content(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            assert path.read_text() == "old"
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_a_lock_excludes_other_processes_until_they_die(tmp_path: Path):
    path = tmp_path / "locks" / "one.lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment(), text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        class GaveUp(Exception):  # noqa: N818
            pass

        def give_up() -> None:
            raise GaveUp

        with pytest.raises(GaveUp), hold_lock(path, give_up):
            pass
        holder.kill()
        holder.wait(30)
        with hold_lock(path):
            pass
