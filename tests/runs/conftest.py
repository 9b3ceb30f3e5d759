"""A store on each kind of storage."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from sparkcore.runs.store import RunStore


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> RunStore:
    """Give an empty store with a state folder of its own."""
    if request.param == "folder":
        return RunStore(tmp_path / "store")
    uri = f"memory://{uuid.uuid4().hex}" if request.param == "memory" else request.getfixturevalue("s3_prefix")
    return RunStore(uri, tmp_path / "state")
