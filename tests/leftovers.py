"""What a test run leaves behind: processes, temporary files, files in the user's home and beside the sources."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_MARK = "SPARKCORE_TEST_RUN"  # in the environment of all that a run starts
_PATIENCE_S = 20.0  # for what ends by itself
_HOME = (".keras", ".streamlit", ".cache/sparkcore", ".cache/nncf", ".local/share/sparkcore")
_OF_TENSORFLOW = "__autograph_generated_file"  # removed by a process that ends by itself; those of pytest-xdist do not
_CACHES = {".coverage", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Tell what was not there when a run began; `temporary` is its folder for temporary files."""

    temporary: Path
    before: frozenset[str]

    @classmethod
    def begin(cls) -> Leftovers:
        """Give this process, and all that it starts from now on, a folder for temporary files and a mark."""
        folder = Path(tempfile.mkdtemp(prefix="sparkcore-tests-"))
        os.environ.update({"TMPDIR": str(folder), "SPARK_LOCAL_DIRS": str(folder), _MARK: folder.name})
        tempfile.tempdir = None  # asks the environment again
        return cls(folder, _files())

    def found(self, patience_s: float = _PATIENCE_S) -> list[str]:
        """Return processes and files that are left, after waiting for processes to end."""
        end = time.monotonic() + patience_s
        while (left := self._processes()) and time.monotonic() < end:
            time.sleep(0.2)
        known = f"pytest-of-{os.environ.get('USER', '')}", _OF_TENSORFLOW
        files = [path for path in self.temporary.iterdir() if not path.name.startswith(known)]
        return [*left, *map(str, files), *sorted(_files() - self.before)]

    def remove(self) -> None:
        """Remove the folder of the temporary files."""
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _processes(self) -> list[str]:
        mark = f"{_MARK}={self.temporary.name}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):  # Linux
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append(f"process {folder.name}: {line[:200]}")
        return found


def _files() -> frozenset[str]:
    below_home = (path for name in _HOME for path in (Path.home() / name).rglob("*"))
    beside = (path for path in ROOT.iterdir() if path.name not in _CACHES)
    return frozenset(map(str, (*below_home, *beside)))
