"""Each page by itself, on a store of its own."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from PIL import Image
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


@pytest.fixture(autouse=True)
def _no_error_of_the_program(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which a page had an exception that nobody expects: the page itself shows one line."""
    yield
    errors = [one for when in ("setup", "call") for one in caplog.get_records(when) if one.name == "pages"]
    assert [one.getMessage() for one in errors if one.levelno >= logging.ERROR] == []


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
        app.switch_page(f"pages/{page}.py")
        return ask(app, query)

    return open_it


def ask(app: AppTest, query: Mapping[str, str | list[str]]) -> AppTest:
    """Draw the page again with another query string; it shows no exception."""
    app.query_params.clear()
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, [one.message for one in app.exception]
    return app


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with one picture, which is the only one that may be read."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "photos" / "a.png")
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path / "photos"))
    return tmp_path / "photos"


def drawn(app: AppTest, part: str) -> list[Any]:
    """Return the lists called `part` that the page hands to components in the browser."""
    handed = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return [data[part] for data in handed if part in data]


def plain(text: str) -> str:
    """Return Markdown without its escapes, and an error without its id."""
    return re.sub(r" :small\[(Error|Job) [0-9a-f]+\]$", "", text).replace("\\", "")


def address_of(app: AppTest) -> dict[str, list[str]]:
    """Return the query string of a page as lists."""
    return {name: [value] if isinstance(value, str) else list(value) for name, value in app.query_params.items()}
