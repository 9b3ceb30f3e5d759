"""The built-in samples as a folder of a store, rendered once by a process of its own.

`python -m sparkcore.prepared_samples STORE COUNT SEED` is that process: it goes on when the page that asked for it
is closed, and two of them never write the same folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def samples_folder(store: Path, count: int, seed: int = 0) -> Path:
    """Return where the samples lie as soon as all of them are written."""
    return store / "samples" / f"{count}-{seed}"


def start_rendering(store: Path, count: int, seed: int = 0) -> subprocess.Popen[bytes]:
    """Start the process that writes the samples; it ends at once where they are there."""
    log = store / "logs" / "samples.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "sparkcore.prepared_samples", os.fspath(store), str(count), str(seed)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])},
        )


def count_rendered(store: Path, count: int, seed: int = 0) -> int:
    """Return how many samples are written."""
    if samples_folder(store, count, seed).is_dir():
        return count
    return sum(len(files) for _, _, files in os.walk(_unfinished(store, count, seed)))


def render(store: Path, count: int, seed: int) -> None:
    """Write the samples unless they are there; waits while another process writes them."""
    from sparkcore.samples import write_samples

    folder, unfinished = samples_folder(store, count, seed), _unfinished(store, count, seed)
    lock = store / "locks" / f"samples-{folder.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if folder.is_dir():
            return
        shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
        write_samples(unfinished, count, seed)
        unfinished.replace(folder)


def _unfinished(store: Path, count: int, seed: int) -> Path:
    return samples_folder(store, count, seed).with_name(f".{count}-{seed}")


if __name__ == "__main__":
    render(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
