"""People at work for ten minutes: no error, and memory stays as it is."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.load import PARTS, Load, measure
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.runs.store import RunStore
from tests.conftest import end_engine, write_colors

SECONDS = float(os.environ.get("LOAD_SECONDS", "600"))
SESSIONS, IMAGES, WARM_S = 20, 24, 240
# From the second to the last third of the time: what a garbage collector and caches of a fixed size explain.
MOST_GROWTH_MB = {"server": 40, "engine": 20, "JVM": 100, "workers": 40}
_log = logging.getLogger(__name__)


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
def test_ten_minutes_of_work(tmp_path: Path, request_for: Callable[..., RunConfig]) -> None:
    write_colors(tmp_path / "in", IMAGES)
    engine = EngineConfig(store=tmp_path / "store", bucket_size=4)
    try:
        found = measure(Load(engine, request_for(tmp_path / "in", sample=IMAGES - 4), SECONDS, SESSIONS))
    finally:
        end_engine(engine)
    _log.warning("%s", json.dumps(found.summary()))
    assert found.errors == []
    assert " ERROR " not in (RunStore(engine.store).state / "logs" / "dashboard.log").read_text()
    assert min(found.jobs[state] for state in ("complete", "cached", "cancelled")) > 0
    if SECONDS < WARM_S:
        return  # a trial: caches are still filling
    growth = {part: late - early for part in PARTS for early, late in [found.later_mb(part)]}
    assert {part: mb for part, mb in growth.items() if mb > MOST_GROWTH_MB[part]} == {}
