"""Each page by itself, on a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from sparkcore import client
from sparkcore.runs.store import RunStore

ROOT = Path(__file__).resolve().parents[2]

OpenPage = Callable[..., AppTest]


@pytest.fixture(autouse=True, scope="session")
def _no_foreign_components() -> Iterator[None]:
    """Spare each AppTest the search of all installed packages for custom components: the pages use none.

    Without this it is three quarters of the time of these tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """Give an empty store that the pages show; no engine is started for it."""
    monkeypatch.setenv("SPARKCORE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path))
    monkeypatch.setattr(client, "start_engine", lambda _engine=None: False)
    st.cache_data.clear()
    st.cache_resource.clear()
    return RunStore(tmp_path / "store")


@pytest.fixture
def open_page(store: RunStore) -> OpenPage:
    """Give the function that opens a page with a query string."""
    del store

    def open_it(page: str, /, **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
        app.run()
        app.switch_page(f"pages/{page}.py")
        app.query_params.clear()
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, [one.message for one in app.exception]
        return app

    return open_it


def plain(text: str) -> str:
    """Return Markdown without its escapes."""
    return text.replace("\\", "")


def address_of(app: AppTest) -> dict[str, list[str]]:
    """Return the query string of a page as lists."""
    return {name: [value] if isinstance(value, str) else list(value) for name, value in app.query_params.items()}
