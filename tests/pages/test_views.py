from __future__ import annotations

from sparkcore.runs.store import RunStore
from sparkcore.runs.views import saved_views
from tests.pages.conftest import OpenPage
from tests.runs_fixture import write_run


def test_a_view_has_a_name_and_a_link_on_each_page(store: RunStore, open_page: OpenPage) -> None:
    run = write_run(store, rows=10)
    app = open_page("gallery", run=run, label="apple")
    app.text_input(key="view_name").set_value("Apples <b>").run()
    app.button(key="view_save").click().run()
    (view,) = saved_views(store)
    assert (view.page, view.query) == ("gallery", {"run": [run], "label": ["apple"]})
    app = open_page("scores", run=run)
    (link,) = [one.proto for one in app.get("page_link") if "Apples" in one.proto.label]
    assert (link.page, link.query_string) == ("gallery", f"run={run}&label=apple")
    app.button(key=f"view_delete_{view.view_id}").click().run()
    assert saved_views(store) == []
