"""Processes of an engine and of the dashboard are killed at random moments: each job ends, with the same rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from tests.conftest import write_colors
from tests.kill_scene import scene_in

IMAGES = 32
SEED = 20_260_101
ROUNDS = (("worker", "engine"), ("server", "JVM"), ("clock", "engine", "worker"), ("JVM", "server"), ("worker", "JVM"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_kills_a_clock_that_is_set_back_and_a_second_engine(
    tmp_path: Path, request_for: Callable[..., RunConfig]
) -> None:
    write_colors(tmp_path / "in", IMAGES)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=4)
    with scene_in(tmp_path, request_for(tmp_path / "in"), engine, SEED) as scene:
        expected = scene.rows()
        assert len(expected) == IMAGES
        for victims in ROUNDS:
            assert scene.rows(victims) == expected, f"after the kills of {victims}"
        assert len(scene.struck) == 10
        pid = client.engine_pid(engine)
        second = [sys.executable, "-m", "sparkcore", "engine", "serve", "--store", scene.store.uri]
        done = subprocess.run(second, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, client.engine_pid(engine)) == (0, pid)
        assert "another engine serves" in done.stderr
