from __future__ import annotations

from pathlib import Path

from benchmarks.physical import multiply_adds
from tests.models.graph_files import SIDE, write_onnx


def test_multiply_adds_of_a_convolution_and_a_dense_layer(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "model.onnx", batch=1)
    height = width = SIDE - 2  # without padding
    assert multiply_adds(path) == height * width * 8 * (3 * 3 * 3) + 8 * 4
