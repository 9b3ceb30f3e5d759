"""A picture that crashes every decoder: workers die of it at first, and at the second attempt it is a row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sparkcore.child import child_environment
from tests.conftest import write_colors

# Each Python process imports this first.
CRASHING_DECODER = """
import os
from PIL import Image

intact = Image.open

def open(file, *arguments, **options):
    if hasattr(file, "getvalue") and file.getvalue().endswith(b"crash"):
        os.abort()
    return intact(file, *arguments, **options)

Image.open = open
"""
CLASSIFY = """
import json, sys
from pathlib import Path
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.classification import classify
from sparkcore.engine.reader import read_images
from sparkcore.engine.session import start_session

folder, model, store = sys.argv[1:]
spark = start_session(EngineConfig(master="local[1]", store=Path(store)))
rows = classify(read_images(spark, folder), RunConfig(folder, model=model)).collect()
print(json.dumps({row.file_name: row.error_type or row.label for row in rows}))
spark.stop()
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_crash_is_a_row_of_the_second_attempt(tmp_path: Path, colors_model: Path) -> None:
    paths = write_colors(tmp_path / "in", 8)
    for hostile in (paths[1], paths[6]):
        hostile.write_bytes(hostile.read_bytes() + b"crash")
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(CRASHING_DECODER)
    path = os.pathsep.join([str(tmp_path / "python"), child_environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", CLASSIFY, tmp_path / "in", colors_model, tmp_path / "store"],
        env={**child_environment(), "PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    labels = {path.name: path.name.split("-")[0] for path in paths}
    assert json.loads(done.stdout) == {**labels, paths[1].name: "internal", paths[6].name: "internal"}
