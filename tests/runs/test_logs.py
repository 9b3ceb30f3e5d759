from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.runs import logs


def test_a_long_log_is_emptied_in_place_and_keeps_its_content_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "MAX_LOG_BYTES", 10)
    path = logs.log_path(tmp_path, logs.ENGINE_LOG)
    with path.open("ab", buffering=0) as log:  # as the engine and Spark's JVM have it
        log.write(b"as long as may be"[:10])
        logs.bound_log(path)
        assert path.read_bytes() == b"as long as"
        log.write(b"!")
        logs.bound_log(path)
        log.write(b"more")
        assert path.read_bytes() == b"more"
    assert path.with_name("engine.log.1").read_bytes() == b"as long as!"
    assert logs.log_path(tmp_path, logs.ENGINE_LOG) == path
    logs.bound_log(tmp_path / "none")
