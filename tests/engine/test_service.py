from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkcore.config import EngineConfig
from sparkcore.engine import service
from sparkcore.engine.place import Places
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.store import RunStore


@pytest.fixture
def own_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_an_idle_engine_ends_with_its_spark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "_WARM_EVERY_S", 0)
    store, lost_spark = RunStore(tmp_path), None
    places: Any = Places(EngineConfig(store=tmp_path), JobTable(store.jobs_path), lost_spark)  # type: ignore[arg-type]
    served = service._Service(places, store)
    served.serve_until_idle(3600)
    assert "Spark has ended while it had nothing to do" in caplog.text
    assert {thread.name for thread in threading.enumerate()}.isdisjoint({"any", "quick"})
    assert not served.has_late_jobs()
