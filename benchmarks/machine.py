"""Description of the machine for the results."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from benchmarks.processes import ROOT
from sparkcore.models.runtimes.openvino import computes

_EXTENSIONS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_int8")
_LIBRARIES = ("pyspark", "openvino", "tensorflow", "keras", "pillow", "numpy", "pyarrow")


def describe() -> dict[str, str]:
    """Return processor, system, versions and commit."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "bfloat16": "yes" if computes("bfloat16") else "no",
        "load_before": f"{os.getloadavg()[0]:.2f}",
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _LIBRARIES},
        "commit": _commit(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    facts = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    wide = [name for name in _EXTENSIONS if name in facts.get("flags", "").split()]
    return " ".join([facts.get("model name", platform.processor()).strip(), *wide])


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return done.stdout.strip() or "unknown"
