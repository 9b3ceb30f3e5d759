from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.errors import RequestError
from sparkcore.runs.store import RunStore
from sparkcore.runs.views import delete_view, save_view, saved_views


def test_views_are_saved_listed_and_deleted(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    assert saved_views(store) == []
    late = save_view(store, " Wrong  ones ", "gallery", {"run": ["1"], "label": ["a", "b"]})
    early = save_view(store, "dark", "scores", {})
    assert (late.name, late.query) == ("Wrong ones", {"run": ["1"], "label": ["a", "b"]})
    store.storage.write("views/damaged.json", b"[]")
    assert saved_views(store) == [early, late]
    delete_view(store, early.view_id)
    assert saved_views(store) == [late]
    with pytest.raises(RequestError, match="expected a name"):
        save_view(store, " ", "gallery", {})
