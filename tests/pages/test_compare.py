from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from pages.components.comparison import ChangeFilter, matching_changes
from sparkcore.runs.store import RunStore
from tests.analysis.tables import row
from tests.pages.conftest import OpenPage, address_of, drawn, plain
from tests.pages.stored_runs import OTHER_RUN, ROWS, RUN, store_run
from tests.runs_fixture import Made, write_run

# b.jpg and c.jpg get another label, f.jpg is not there
OTHER = [
    ROWS[0],
    row("b.jpg", ("n1", "cat", 0.5), ("n2", "dog", 0.4), truth="cat", image_id=ROWS[1]["image_id"]),
    row("c.jpg", ("n1", "cat", 0.6), ("n3", "owl", 0.3), truth="cat", image_id=ROWS[2]["image_id"]),
    *ROWS[3:5],
    ROWS[6],
]


@pytest.fixture
def compared(store: RunStore) -> RunStore:
    """Give a store with two runs."""
    store_run(store)
    store_run(store, OTHER, OTHER_RUN, precision="bfloat16")
    return store


def pairs(app: AppTest) -> list[list[dict[str, Any]]]:
    """Return the images that are shown, each as its left and its right side."""
    (found,) = drawn(app, "pairs")
    return found


@pytest.mark.usefixtures("compared")
def test_what_changed_is_counted_and_shown(open_page: OpenPage):
    app = open_page("compare", **{"run": RUN, "with": OTHER_RUN})
    assert {metric.label: metric.value for metric in app.metric} == {
        "Accuracy of this run": "60.0 %",
        "Accuracy of the other run": "100.0 %",
        "Fixed": "2",
        "Broken": "0",
        "Same label": "60.0 %",
        "Label changed": "2",
        "In both runs": "6",
        "Only in this run": "1",
    }
    _, settings, matrix, listed, _ = (table.value.values.tolist() for table in app.dataframe)
    assert settings == [["precision", "float32", "bfloat16"]]
    assert matrix == [["dog", "cat", 1, 100.0], ["owl", "cat", 1, 100.0]]
    assert listed == [["dog", "cat", 1], ["owl", "cat", 1]]
    said = [[(side["file_name"], side["label"], side["score"]) for side in pair] for pair in pairs(app)]
    assert said == [
        [("b.jpg", "dog", "80.0 %"), ("b.jpg", "cat", "50.0 %")],
        [("c.jpg", "owl", "40.0 %"), ("c.jpg", "cat", "60.0 %")],
    ]
    left, right = pairs(app)[0]
    assert right["predictions"] == [["cat", "50.0 %", "50.0%"], ["dog", "40.0 %", "40.0%"]]
    assert (f"run={RUN}" in left["href"], f"run={OTHER_RUN}" in right["href"]) == (True, True)
    assert left["picture"].startswith("data:image/jpeg;base64,")
    said = [plain(caption.value) for caption in app.main.caption][-1]
    assert said.endswith("**Right:** other run, animals · efficientnet_lite0 · bfloat16.")


@pytest.mark.usefixtures("compared")
def test_a_pair_and_a_change_of_score_choose_images(open_page: OpenPage):
    app = open_page("compare", **{"run": RUN, "with": OTHER_RUN, "change": ["owl", "cat"], "delta": ["0", "0.5"]})
    assert [left["file_name"] for left, _ in pairs(app)] == ["c.jpg"]
    app.button(key="change_chip_pair").click().run()
    assert address_of(app) == {"run": [RUN], "with": [OTHER_RUN], "delta": ["0", "0.5"]}
    app.button(key="change_chip_span").click().run()
    assert address_of(app) == {"run": [RUN], "with": [OTHER_RUN]}


@pytest.mark.usefixtures("compared")
def test_impossible_choices_count_as_none(open_page: OpenPage):
    app = open_page("compare", **{"run": RUN, "with": OTHER_RUN, "change": "cat", "delta": ["nan", "3"]})
    assert len(pairs(app)) == 2


def test_the_other_run_is_chosen_from_the_catalogue(compared: RunStore, open_page: OpenPage):
    store_run(compared, ROWS[5:], "00000000000000aa")
    app = open_page("compare", run=RUN)
    app.selectbox(key="compare_with").set_value("00000000000000aa").run()
    assert address_of(app) == {"run": [RUN], "with": ["00000000000000aa"]}
    assert [text.value for text in app.info] == ["The two runs have no image in common that has a label in both."]


def test_a_run_that_is_gone_is_told(compared: RunStore, open_page: OpenPage):
    del compared
    app = open_page("compare", **{"run": RUN, "with": "![x](http://evil)"})
    assert r"\!\[x\]\(http\:\/\/evil\)".replace(r"\/", "/") in app.warning[0].value
    assert app.metric[0].value == "60.0 %"


def test_runs_with_equal_labels_say_so(store: RunStore, open_page: OpenPage):
    store_run(store)
    store_run(store, ROWS, OTHER_RUN)
    app = open_page("compare", run=RUN)
    assert [text.value for text in app.success] == ["No label changed."]


def test_one_run_alone_cannot_be_compared(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("compare", run=RUN)
    assert "There is only one run so far." in app.info[0].value


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (ChangeFilter(), [0, 1, 2]),
        (ChangeFilter(pair=("a", "b")), [0, 2]),
        (ChangeFilter(span=(0.1, 1.0)), [1, 2]),
        (ChangeFilter(pair=("a", "b"), span=(0.1, 1.0)), [2]),
    ],
)
def test_only_the_wanted_changes_stay(wanted: ChangeFilter, rows: list[int]):
    changed = pa.table(
        {
            "left_label": ["a", "a", "a"],
            "right_label": ["b", "c", "b"],
            "score_change": pa.array([-0.5, 0.1, 0.3], pa.float32()),
        }
    )
    assert matching_changes(changed, wanted).tolist() == rows


def test_the_better_run_and_what_it_fixed(store: RunStore, open_page: OpenPage) -> None:
    made = Made(rows=60, error_every=0)
    one, other = write_run(store, made), write_run(store, replace(made, shift=1, day=1))
    app = open_page("compare", run=other, **{"with": one})
    said = [plain(text.value) for text in app.markdown]
    assert any(text.startswith("**The other run is better: it corrects 6 mistakes of this run") for text in said)
    assert "Both runs have the same settings." in said
    app.segmented_control(key="compare_outcome").set_value("fixed").run()
    assert address_of(app)["outcome"] == ["fixed"]
    assert any(plain(text.value).startswith("**6** of 12 images") for text in app.markdown)


def test_filters_narrow_the_comparison(compared: RunStore, open_page: OpenPage) -> None:
    del compared
    app = open_page("compare", **{"run": RUN, "with": OTHER_RUN, "label": "owl"})
    assert {metric.label: metric.value for metric in app.metric} == {
        "Accuracy of this run": "0.0 %",
        "Accuracy of the other run": "100.0 %",
        "Fixed": "1",
        "Broken": "0",
        "Same label": "0.0 %",
        "Label changed": "1",
        "In both runs": "1",
    }
    assert [left["file_name"] for left, _ in pairs(app)] == ["c.jpg"]


def test_the_shown_changes_are_reviewed(compared: RunStore, open_page: OpenPage) -> None:
    del compared
    chosen = {"run": RUN, "with": OTHER_RUN, "change": ["owl", "cat"], "outcome": "fixed"}
    app = open_page("compare", **chosen)
    link = next(one.proto for one in app.get("page_link") if one.proto.label == "Review these")
    query = parse_qs(link.query_string)
    assert (link.page, query) == (
        "review",
        {"run": [RUN], "with": [OTHER_RUN], "change": ["owl", "cat"], "outcome": ["fixed"], "queue": ["changed"]},
    )
    app = open_page("review", **query)
    assert any(text.value.startswith("**c\\.jpg** · 1 of 1") for text in app.markdown)
    assert app.segmented_control(key="review_queue").value == "changed"
    app = open_page("review", **{"run": RUN, "with": RUN, "queue": "changed"})
    assert app.segmented_control(key="review_queue").value == "sample"


def test_runs_of_other_images_are_compared_as_batches(store: RunStore, open_page: OpenPage) -> None:
    one = write_run(store, Made(rows=30, error_every=0, images="/a"))
    other = write_run(store, Made(rows=60, error_every=0, images="/b", day=1))
    app = open_page("compare", run=other, **{"with": one})
    assert [plain(said.value) for said in app.success] == [
        "Nothing differs more than two random halves of one folder would."
    ]
    assert len(drawn(app, "tiles")[0]) == 24
    assert not [metric for metric in app.metric if metric.label == "Fixed"]


def test_where_each_model_looked_is_shown_on_request(store: RunStore, open_page: OpenPage):
    runs = {"run": write_run(store, rows=20), "with": write_run(store, rows=20, shift=1)}
    plain_pairs, app = pairs(open_page("compare", **runs)), open_page("compare", **runs, heat="1")
    assert app.toggle(key="compare_heat").value
    for before, after in zip(plain_pairs, pairs(app), strict=True):
        assert [side["image_id"] for side in before] == [side["image_id"] for side in after]
        assert all(side["picture"].startswith("data:image/jpeg;base64,") for side in after)
        assert not {side["picture"] for side in before} & {side["picture"] for side in after}
    app.toggle(key="compare_heat").set_value(False).run()
    assert pairs(app) == plain_pairs
    assert "heat" not in app.query_params
    bare = {name: write_run(store, rows=20, shift=shift, features=False) for name, shift in (("run", 0), ("with", 1))}
    assert not open_page("compare", **bare).toggle
