"""Detect what this machine's processor supports."""

from __future__ import annotations

from functools import cache
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "avx_ne_convert"})


@cache
def computes_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Tell whether the processor has bfloat16 instructions; False where the system lists no flags.

    Without them TensorFlow would still round to bfloat16, and be slower than in float32.
    """
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not BFLOAT16_FLAGS.isdisjoint(flags)
