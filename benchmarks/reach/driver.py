"""What the driver takes: CPU and memory of this Python and of the JVM of its session, without executors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def driver_pids(spark: SparkSession) -> dict[str, int]:
    """Return the driver's two processes by name; raises RuntimeError for a session that this process has not begun."""
    gateway = spark.sparkContext._gateway
    if gateway is None or not hasattr(gateway, "proc"):
        raise RuntimeError("Expected a session whose JVM this process has started.")
    return {"Python": os.getpid(), "JVM": gateway.proc.pid}


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used, without those of its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def peak_memory_mb(pid: int) -> float:
    """Return the largest resident set of a process so far, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6
