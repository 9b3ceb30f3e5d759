"""Whether a process still runs, by its id."""

from __future__ import annotations

import subprocess


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that has ended does not, even if its parent has not asked for its status."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] not in ("", "Z")
