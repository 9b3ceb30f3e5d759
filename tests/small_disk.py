"""A file system of a given size, which can be full, read-only, or larger."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import wait_until

_PIECE = bytes(4096)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Give a folder on a file system of its own; skip the test where this user may not mount one."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def enlarge(disk: Path, size: str) -> None:
    """Make room."""
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Leave no room until the end of the block."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(_PIECE)
    assert shutil.disk_usage(disk).free < len(_PIECE)
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def read_only_disk(disk: Path) -> Iterator[None]:
    """Let nobody write until the end of the block."""
    wait_until(lambda: _remounts(disk, "ro"))  # not while a file is written
    try:
        yield
    finally:
        assert _remounts(disk, "rw")


def _remounts(disk: Path, mode: str) -> bool:
    return subprocess.run(["mount", "-o", f"remount,{mode}", disk], capture_output=True, check=False).returncode == 0
