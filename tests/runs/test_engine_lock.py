from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from sparkcore.runs import engine_lock
from sparkcore.runs.engine_lock import engine_pid, sole_engine
from sparkcore.runs.store import RunStore
from sparkcore.storage.local import write_json
from tests.read_only import read_only


def test_no_engine_and_nothing_is_made(tmp_path: Path):
    assert engine_pid(RunStore(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_the_process_id_is_that_of_the_holder(tmp_path: Path):
    with sole_engine(RunStore(tmp_path)) as is_sole:
        assert is_sole
    assert engine_pid(RunStore(tmp_path)) is None
    write_json(tmp_path / "locks" / "engine.json", {"pid": 1234})
    assert engine_pid(RunStore(tmp_path)) is None  # its engine was killed
    with FileLock(tmp_path / "locks" / "engine.lock"):
        assert engine_pid(RunStore(tmp_path)) == 1234


def test_a_read_only_store_has_no_engine_to_speak_of(tmp_path: Path):
    with sole_engine(RunStore(tmp_path)):
        pass
    write_json(tmp_path / "locks" / "engine.json", {"pid": 1234})
    with read_only(tmp_path):
        assert engine_pid(RunStore(tmp_path)) is None


def test_a_read_only_file_system_has_no_engine_to_speak_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class ReadOnlyLock:
        def acquire(self, *, blocking: bool) -> None:
            assert not blocking
            raise OSError(30, "Read-only file system")

    write_json(tmp_path / "locks" / "engine.json", {"pid": 1234})
    monkeypatch.setattr(engine_lock, "_lock", lambda _: ReadOnlyLock())
    assert engine_pid(RunStore(tmp_path)) is None
