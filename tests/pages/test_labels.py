from __future__ import annotations

from operator import itemgetter

from streamlit.testing.v1 import AppTest

from sparkcore.runs.store import RunStore
from tests.analysis.tables import row
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
    assert numbers(app, 3) == [["dog", "cat", 2], ["cat", "dog", 1], ["dog", "owl", 1], ["owl", "cat", 1]]


def test_a_chart_shows_what_the_other_filters_leave(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("labels", run=RUN, label=["dog"], score=["0.65", ""])
    assert app.markdown[0].value == "**2 of 7 images**"
    assert numbers(app, 0) == [["dog", 2, 66.7], ["cat", 1, 33.3]]  # not narrowed by the label itself
    assert numbers(app, 3) == [["dog", "cat", 2]]


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


IN_GROUPS = [
    row("a.jpg", ("n02099601", "golden_retriever", 0.9), truth="beagle"),
    row("b.jpg", ("n02088364", "beagle", 0.8), truth="beagle"),
    row("c.jpg", ("n01580077", "jay", 0.6), truth="jay"),
    row("d.jpg", ("n07697537", "hotdog", 0.5), truth="hotdog"),
]


def test_a_click_leads_into_a_group_and_back(store: RunStore, open_page: OpenPage):
    store_run(store, sorted(IN_GROUPS, key=itemgetter("image_id")))
    app = open_page("labels", run=RUN)
    assert numbers(app, 0) == [["Animals", 3, 75.0, 3], ["Food and drink", 1, 25.0, 1]]
    assert {(row[0], row[-1], row[1]) for row in numbers(app, 2)} == {
        ("golden retriever", "Animals > Dogs > Retrievers", 1),
        ("beagle", "Animals > Dogs > Hounds", 1),
        ("jay", "Animals > Birds > Songbirds", 1),
        ("hotdog", "Food and drink > Dishes", 1),
    }
    app = open_page("labels", run=RUN, group="Animals")
    assert numbers(app, 0) == [["Dogs", 2, 66.7, 2], ["Birds", 1, 33.3, 1]]
    assert app.multiselect(key="filter_group").value == ["Animals"]
    app = open_page("labels", run=RUN, group="Animals > Dogs > Hounds")
    assert [row[0] for row in numbers(app, 0)] == ["Hounds", "Retrievers"]  # it has no parts of its own
    app.button(key="group_way_2").click().run()
    assert address_of(app) == {"run": [RUN], "group": ["Animals > Dogs"]}
    app.button(key="group_way_0").click().run()
    assert address_of(app) == {"run": [RUN]}


def test_a_search_narrows_the_labels(store: RunStore, open_page: OpenPage):
    store_run(store, sorted(IN_GROUPS, key=itemgetter("image_id")))
    app = open_page("labels", run=RUN)
    app.text_input(key="filter_find").set_value("dog").run()
    assert address_of(app) == {"run": [RUN], "find": ["dog"]}
    assert app.markdown[0].value == "**2 of 4 images**"
    assert app.multiselect(key="filter_label").options == ["beagle", "golden retriever"]
    assert [button.label for button in app.button if button.key == "chip_find"] == [r"label or group like “dog”"]
