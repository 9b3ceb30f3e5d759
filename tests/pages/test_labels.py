from __future__ import annotations

from streamlit.testing.v1 import AppTest

from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of
from tests.pages.stored_runs import ROWS, RUN, store_run


def numbers(app: AppTest, place: int) -> list[list[object]]:
    """Return the rows of the table beside a chart."""
    return app.dataframe[place].value.round(1).values.tolist()


def test_labels_are_counted_and_spread(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("labels", run=RUN)
    assert app.markdown[0].value == "**7 images**"
    assert numbers(app, 0) == [["dog", 3, 60.0], ["cat", 1, 20.0], ["owl", 1, 20.0]]
    assert [row[0] for row in numbers(app, 1)] == ["dog", "cat", "owl"]
    assert numbers(app, 2) == [["dog", "cat", 2], ["cat", "dog", 1], ["dog", "owl", 1], ["owl", "cat", 1]]


def test_a_chart_shows_what_the_other_filters_leave(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("labels", run=RUN, label=["dog"], score=["0.65", ""])
    assert app.markdown[0].value == "**2 of 7 images**"
    assert numbers(app, 0) == [["dog", 2, 66.7], ["cat", 1, 33.3]]  # not narrowed by the label itself
    assert numbers(app, 2) == [["dog", "cat", 2]]


def test_the_number_of_labels_is_in_the_address(store: RunStore, open_page: OpenPage):
    rows = [{**ROWS[0], "label": f"label {n:02d}", "image_id": f"{n:016x}", "origin": f"file:/{n}"} for n in range(12)]
    store_run(store, rows)
    app = open_page("labels", run=RUN, top="10")
    assert [row[0] for row in numbers(app, 0)][-1] == "2 other labels"
    app.segmented_control(key="labels_top").set_value("50").run()
    assert address_of(app) == {"run": [RUN], "top": ["50"]}
    assert len(numbers(app, 0)) == 12


def test_filters_that_leave_no_label_are_told(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("labels", run=RUN, status="error")
    assert [info.value for info in app.info] == ["None of these images has a label. Remove a filter to see more."]
    assert not app.get("vega_lite_chart")
