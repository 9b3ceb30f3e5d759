from __future__ import annotations

from streamlit.testing.v1 import AppTest

from sparkcore.classes import ClassName
from sparkcore.runs.store import RunStore
from tests.analysis.tables import row
from tests.pages.conftest import OpenPage, address_of, drawn
from tests.pages.stored_runs import ROWS, RUN, store_run, without_truth


def pictures(app: AppTest) -> list[str]:
    (tiles,) = drawn(app, "tiles")
    return [tile["file_name"] for tile in tiles]


def test_predictions_are_compared_with_the_true_labels(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("evaluate", run=RUN)
    assert {metric.label: metric.value for metric in app.metric} == {
        "Top-1 accuracy": "60.0 %",
        "Top-2 accuracy": "100.0 %",
        "With a true label": "5",
        "Calibration error": "40.0 %",
    }
    confusion, mistakes, classes = (table.value for table in app.dataframe)
    assert confusion[confusion["Images"] > 0].iloc[:, :3].values.tolist() == [
        ["cat", "cat", 1],
        ["cat", "dog", 1],
        ["cat", "owl", 1],
        ["dog", "dog", 2],
    ]
    assert mistakes.values.tolist() == [["cat", "dog", 1], ["cat", "owl", 1]]
    assert classes[["name", "recall", "support"]].fillna(-1).round(1).values.tolist() == [
        ["cat", 33.3, 3],
        ["dog", 100.0, 2],
        ["owl", -1, 0],
    ]


def test_the_most_confident_mistakes_come_first(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("evaluate", run=RUN)
    assert app.main.subheader[-1].value == "2 mistakes, most confident first"
    assert pictures(app) == ["b.jpg", "c.jpg"]


def test_a_chosen_pair_leaves_the_numbers_alone(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("evaluate", run=RUN, pair=["dog", "dog"])
    assert app.metric[2].value == "5"
    assert pictures(app) == ["d.jpg", "e.jpg"]
    app.button(key="chip_pair").click().run()
    assert address_of(app) == {"run": [RUN]}
    assert pictures(app) == ["b.jpg", "c.jpg"]


def test_other_filters_narrow_the_numbers(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("evaluate", run=RUN, label=["dog"])
    assert [metric.value for metric in app.metric[:3]] == ["66.7 %", "100.0 %", "3"]


def test_a_run_without_truth_says_how_to_get_it(store: RunStore, open_page: OpenPage):
    store_run(store, without_truth(ROWS))
    app = open_page("evaluate", run=RUN)
    assert "no true labels" in app.info[0].value
    assert not app.metric


def test_filters_that_leave_no_truth_are_told(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("evaluate", run=RUN, status="error")
    assert "None of these images has a true label and a prediction." in app.info[0].value


def test_a_run_without_mistakes_says_so(store: RunStore, open_page: OpenPage):
    store_run(store, [ROWS[0], ROWS[3]])
    app = open_page("evaluate", run=RUN)
    assert [text.value for text in app.success] == ["Every prediction is correct."]
    assert app.main.subheader[-1].value == "0 mistakes, most confident first"


def test_a_model_with_fewer_classes_than_the_truth_is_judged_on_both(store: RunStore, open_page: OpenPage):
    bird = row("h.jpg", ("n1", "cat", 0.5), ("n2", "dog", 0.4), truth="bird")
    fish = row("i.jpg", ("n1", "cat", 0.5), ("n2", "dog", 0.4), truth="fish")
    store_run(store, [*ROWS, bird, fish])
    store.write_classes(RUN, [ClassName("n1", "cat"), ClassName("n2", "dog"), ClassName("n3", "owl")])
    said = open_page("evaluate", run=RUN).info[0].value
    assert said == (
        "The model has no name for **2 of the 4 true classes**: 2 images that it cannot predict correctly. "
        "On the other 5 images its accuracy is **60.0 %**."
    )


def test_classes_that_this_run_never_saw_are_no_fault_of_the_model(store: RunStore, open_page: OpenPage):
    bird = row("h.jpg", ("n1", "cat", 0.5), ("n2", "dog", 0.4), truth="bird")
    store_run(store, [*ROWS, bird])
    assert not open_page("evaluate", run=RUN).info
