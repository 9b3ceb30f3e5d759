from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.models.processor import computes_bfloat16


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 fma", False),
        ("fpu avx2 avx512f avx512_vnni", False),
        ("fpu avx512f avx512_bf16", True),
        ("fpu amx_tile amx_bf16", True),
        ("fpu avx2 avx_ne_convert", True),
    ],
)
def test_flags_decide(tmp_path: Path, flags: str, expected: bool):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nvendor_id\t: x\nflags\t\t: {flags}\nbugs\t\t: \n\nprocessor\t: 1\n")
    assert computes_bfloat16(info) is expected


def test_a_system_that_lists_nothing_computes_in_float32(tmp_path: Path):
    empty = tmp_path / "cpuinfo"
    empty.write_text("processor: Apple M2\n")
    assert not computes_bfloat16(empty)
    assert not computes_bfloat16(tmp_path / "missing")
