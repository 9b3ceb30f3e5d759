from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sparkcore.engine.planning import make_plan
from sparkcore.errors import RunCancelledError
from sparkcore.runs.store import RunStore
from tests.conftest import write_colors
from tests.engine.listings import listed

RUN = "0123456789abcdef"


def test_a_cancellation_ends_the_writing_of_the_listing_without_a_plan(tmp_path: Path) -> None:
    write_colors(tmp_path / "in", 3)
    storage = RunStore(tmp_path / "store").storage
    request: Any = SimpleNamespace(run_id=RUN, recipe_id="0" * 16, listing=listed(tmp_path / "in").listing)

    def cancel() -> None:
        raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        make_plan(storage, request, 8, (), cancel)
    assert [entry.name for entry in storage.list("")] == []
    assert make_plan(storage, request, 8, (), lambda: None).images == 3
