from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.frame import PAGES
from sparkcore.runs.store import RunStore
from tests.pages.conftest import ROOT
from tests.runs_fixture import write_run


@pytest.mark.parametrize("page", PAGES)
def test_nobody_gets_in_without_login_where_one_is_set_up(store: RunStore, page: str):
    run = write_run(store, rows=12)
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    app.secrets["auth"] = {"client_id": "x"}
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert [one.value for one in app.title] == ["Log in"]
    assert not app.get("bidi_component")
    assert not app.get("page_link")
    assert not any(run in text.value for text in app.caption)
