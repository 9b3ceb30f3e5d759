from __future__ import annotations

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from pages.components.threshold import at_threshold
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of
from tests.pages.stored_runs import ROWS, RUN, store_run, without_truth


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def titles(app: AppTest) -> list[str]:
    bold = [text.value.strip("*") for text in app.markdown[1:] if text.value.endswith("**")]
    return [title for title in bold if title != "Decide by score"]


def test_scores_margins_and_entropy_are_drawn(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("scores", run=RUN)
    assert titles(app) == ["Scores", "Margins", "Entropy", "Accuracy at a threshold", "Reliability"]
    scores = app.dataframe[0].value
    assert scores[scores["Images"] > 0]["From"].round(1).tolist() == [
        40.0,
        60.0,
        67.5,
        80.0,
        87.5,
    ]  # 70 and 90 lie a hair below as float32


def test_a_threshold_tells_what_stays(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("scores", run=RUN, threshold="65")
    # cat 0.9 right, dog 0.8 wrong, dog 0.7 right
    assert metrics(app) == {"Images kept": "3", "Share kept": "60.0 %", "Accuracy": "66.7 %"}
    app.slider(key="scores_threshold").set_value(85).run()
    assert address_of(app) == {"run": [RUN], "threshold": ["85"]}
    assert metrics(app) == {"Images kept": "1", "Share kept": "20.0 %", "Accuracy": "100.0 %"}


def test_a_threshold_becomes_a_filter(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("scores", run=RUN, threshold="65", score=["0.1", "0.85"])
    app.button(key="scores_keep").click().run()
    assert address_of(app) == {"run": [RUN], "threshold": ["65"], "score": ["0.65", "0.85"]}
    assert app.markdown[0].value == "**2 of 7 images**"


def test_without_truth_there_is_only_what_the_model_says(store: RunStore, open_page: OpenPage):
    store_run(store, without_truth(ROWS))
    app = open_page("scores", run=RUN)
    assert titles(app) == ["Scores", "Margins", "Entropy", "Images at a threshold"]
    assert metrics(app) == {"Images kept": "4", "Share kept": "80.0 %"}


def test_a_split_names_the_labels(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("scores", run=RUN)
    app.toggle(key="scores_split").set_value(True).run()
    assert address_of(app) == {"run": [RUN], "split": ["label"]}
    assert app.dataframe[0].value["Label"].unique().tolist() == ["dog", "cat", "owl"]


def test_the_nearest_threshold_counts():
    curve = pa.table({"threshold": [0.0, 0.5, 1.0], "images": [3, 2, 0], "share": [1.0, 2 / 3, 0.0]})
    assert at_threshold(curve, 0.49) == {"threshold": 0.5, "images": 2, "share": pytest.approx(2 / 3)}
