from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sparkcore.background import result_of
from sparkcore.config import RunConfig
from sparkcore.engine import freezing
from sparkcore.engine.elsewhere import Report
from sparkcore.errors import RunCancelledError
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import Computation
from tests.conftest import wait_until
from tests.processes import is_running


def note_and_sleep(_: object, _report: Report) -> None:
    Path(os.environ["SPARKCORE_CACHE"], "pid").write_text(str(os.getpid()))
    time.sleep(60)


def test_whoever_cancels_ends_the_process_that_freezes(
    tmp_path: Path, colors_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path))
    monkeypatch.setattr(freezing, "_freeze", note_and_sleep)
    marker = tmp_path / "pid"
    model = resolve_model(RunConfig(images="images", model=str(colors_model)))
    loading = freezing.start_freezing(model, Computation("openvino", "float32"))

    def check() -> None:
        if marker.exists() and marker.read_text():
            raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        result_of(loading, check)
    wait_until(lambda: not is_running(int(marker.read_text())))
