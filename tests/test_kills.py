"""Processes of an engine and of the dashboard are killed at random moments: each job ends, with the same rows."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from tests.conftest import write_colors
from tests.kill_scene import Scene, make_scene, slow_environment

IMAGES = 32
SEED = 20_260_101
ROUNDS = (("worker", "engine"), ("server", "JVM"), ("clock", "engine", "worker"), ("JVM", "server"), ("worker", "JVM"))
VICTIMS = ("worker", "server", "engine", "JVM", "driver")
_log = logging.getLogger(__name__)


@pytest.fixture
def scene(tmp_path: Path, request_for: Callable[..., RunConfig], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name, value in slow_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    write_colors(tmp_path / "in", IMAGES)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=4)
    made = make_scene(tmp_path, request_for(tmp_path / "in"), engine, SEED)
    yield made
    made.end()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_kills_a_clock_that_is_set_back_and_a_second_engine(scene: Scene) -> None:
    expected = scene.rows()
    assert len(expected) == IMAGES
    for victims in ROUNDS:
        assert scene.rows(victims) == expected, f"after the kills of {victims}"
    assert len(scene.struck) == 10
    pid = client.engine_pid(scene.engine)
    second = [sys.executable, "-m", "sparkcore", "engine", "serve", "--store", scene.store.uri]
    done = subprocess.run(second, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, client.engine_pid(scene.engine)) == (0, pid)
    assert "another engine serves" in done.stderr


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_fifty_kills(scene: Scene) -> None:
    expected = scene.rows()
    scene.random.seed(SEED + 1)
    while len(scene.struck) < 50:
        victims = scene.random.sample(VICTIMS, scene.random.randint(1, 3))  # a job outlives one end of its JVM
        assert scene.rows(victims) == expected, f"after the kills of {victims}, {len(scene.struck)} in all"
    _log.info("killed: %s", Counter(scene.struck))
