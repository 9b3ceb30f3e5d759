from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.review import State
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage
from tests.runs_fixture import write_run


def choice(app: AppTest) -> list[str]:
    (found,) = [data["choice"] for data in handed(app) if "choice" in data]
    return list(found["chosen"])


def handed(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(component.proto.json) for component in app.get("bidi_component")]


def states(store: RunStore) -> list[State]:
    """Return what is said of each picture; each has two keys."""
    return [state for key, state in ReviewBook(store).states().items() if "@" in key]


def test_all_filtered_pictures_are_labeled_at_once_and_taken_back_at_once(store: RunStore, open_page: OpenPage) -> None:
    run = write_run(store, rows=30, error_every=0, truth=False)
    app = open_page("gallery", run=run, label="apple")
    assert choice(app) == []
    assert not [one for one in app.button if str(one.key).startswith("chosen")]
    app.session_state[f"chosen_of_{run}"] = frozenset([0, 29])  # as a click on two boxes
    app.run()
    assert len(choice(app)) == 1  # the other one is on no tile of this filter
    assert any(text.value == "**2 chosen**" for text in app.markdown)
    app.button(key="chosen_all").click().run()
    count = len(choice(app))
    app.selectbox(key="chosen_label").select("cherry pie").run()
    assert [state.answer and state.answer.class_id for state in states(store)] == ["n03"] * count
    assert app.selectbox(key="chosen_label").value is None
    app.button(key="chosen_star").click().run()
    assert [state.star for state in states(store)] == [True] * count
    assert ReviewBook(store).revision() == 2
    app.button(key="chosen_undo").click().run()
    app.button(key="chosen_undo").click().run()
    assert not ReviewBook(store).states()
    app.button(key="chosen_none").click().run()
    assert choice(app) == []
