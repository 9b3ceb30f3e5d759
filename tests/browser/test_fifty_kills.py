"""A page stays open while processes of the dashboard, of its engine and of another driver are killed, fifty times."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sparkcore.config import EngineConfig, RunConfig
from tests.conftest import write_colors
from tests.kill_scene import scene_in

IMAGES, KILLS = 32, 50
SEED = 20_260_102
VICTIMS = ("worker", "server", "engine", "JVM", "driver")
_log = logging.getLogger(__name__)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_fifty_kills(tmp_path: Path, request_for: Callable[..., RunConfig], visit: Callable[..., Page]) -> None:
    write_colors(tmp_path / "in", IMAGES)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=4)
    with scene_in(tmp_path, request_for(tmp_path / "in"), engine, SEED) as scene:
        expected = scene.rows()
        page = visit(f"{scene.server.url}/run")
        while len(scene.struck) < KILLS:
            victims = scene.random.sample(VICTIMS, scene.random.randint(1, 3))  # a job outlives one end of its JVM
            assert scene.rows(victims) == expected, f"after the kills of {victims}, {len(scene.struck)} in all"
            assert page.locator('[data-testid="stException"]').count() == 0
        _log.info("killed: %s", Counter(scene.struck))
        scene.server.stop()
        scene.server.start()
        expect(page.get_by_text("in · ").first).to_be_visible()  # the page has found its server by itself
