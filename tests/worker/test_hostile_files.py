"""Every damaged or hostile file becomes a row, in a worker itself and in its child processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from sparkcore.config import RunConfig
from sparkcore.schema import ERROR_TYPES
from sparkcore.worker.careful import preparation
from sparkcore.worker.image import Source
from sparkcore.worker.task import WorkerTask
from tests.imaging.hostile_files import hostile_files
from tests.models.fixture_model import frozen_fixture


def reasons(files: dict[str, Callable[[], bytes]], task: WorkerTask) -> dict[str, tuple[str, str] | None]:
    """Return why each file cannot be used."""
    found: dict[str, tuple[str, str] | None] = {}
    nothing = pa.record_batch({})
    with preparation(task) as prepare:
        for name, make in files.items():
            content = make()
            error = prepare(Source(name, pa.scalar(content), len(content), nothing, 0)).error
            found[name] = error and (error.error_type, error.message)
    return found


def test_each_file_is_a_row(tmp_path: Path, request_for: Callable[..., RunConfig]) -> None:
    files = hostile_files()
    assert len(files) > 400
    task = WorkerTask(request_for("x"), frozen_fixture(tmp_path), 4, 1)
    first = reasons(files, task)
    types = Counter(error[0] if error else "ok" for error in first.values())
    assert types.keys() <= {"ok", *ERROR_TYPES} - {"internal"}
    assert {"ok", "truncated", "corrupt", "not_an_image", "too_large", "too_slow", "unsupported"} <= types.keys()
    assert first["scans.jpg"] == ("too_slow", "The JPEG file has 3,010 scans, which exceeds the limit of 500.")
    assert first["page follows itself.tiff"] is None
    assert reasons(files, WorkerTask(task.config, task.model, 4, 1, careful=True)) == first
