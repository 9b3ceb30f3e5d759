"""Faults of decoders, as modules that Python workers import first: slow, hanging or crashing pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEADLY = b"crash the decoder"
_MODULE = """
import os, time
from PIL import Image

DEADLY = {deadly!r}
SLOW_S, ONCE, AFTER, MARK, LOG = {slow_s!r}, {once!r}, {after!r}, {mark!r}, {log!r}
intact, opened = Image.open, 0

def is_first():
    try:
        os.close(os.open(MARK, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True

def open(file, *arguments, **options):
    global opened
    opened += 1
    with io_open(LOG, "a") as log:
        log.write("opened\\n")
    time.sleep(SLOW_S)
    if getattr(file, "getvalue", bytes)().endswith(DEADLY):
        os.abort()
    if ONCE and opened == AFTER and is_first():
        if ONCE == "crash":
            os.abort()
        time.sleep(3600)
    return intact(file, *arguments, **options)

io_open = __builtins__["open"] if isinstance(__builtins__, dict) else __builtins__.open
Image.open = open
"""


@dataclass(frozen=True, slots=True)
class Faults:
    """The folder of a module that makes decoding faulty."""

    folder: Path

    @property
    def has_struck(self) -> bool:
        """Tell whether a worker has crashed or hangs."""
        return (self.folder / "struck").exists()

    @property
    def opened(self) -> int:
        """The number of pictures that workers have opened."""
        log = self.folder / "opened"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def settings(self, master: str) -> list[str]:
        """Return the options by which executors elsewhere get the faults; local workers inherit `environment`."""
        if master.startswith("local["):
            return []
        return ["--spark-conf", f"spark.executorEnv.PYTHONPATH={self.folder}"]

    def environment(self, master: str) -> dict[str, str]:
        """Return the environment of a driver whose local workers have the faults."""
        return {"PYTHONPATH": str(self.folder)} if master.startswith("local[") else {}


def write_faults(folder: Path, slow_s: float = 0.0, once: str = "", after: int = 3) -> Faults:
    """Write faults: every picture takes `slow_s`, and one worker, at its `after`-th picture, does "crash" or "hang".

    A picture that ends with DEADLY crashes every process that opens it.
    """
    folder.mkdir(parents=True)
    values = {"slow_s": slow_s, "once": once, "after": after, "mark": str(folder / "struck"), "deadly": DEADLY}
    (folder / "sitecustomize.py").write_text(_MODULE.format(**values, log=str(folder / "opened")))
    return Faults(folder)
