from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sparkcore.analysis.queues import random_sample
from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.pictures import pictures_at
from sparkcore.reviews.review import CLASS, NONE, UNSURE, Answer, Change, Entry, State
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, plain
from tests.runs_fixture import Made, write_run

FRUIT = Made(rows=60, truth=False, error_every=0)


def shown(app: AppTest) -> str:
    """Return the line about the picture that is asked about."""
    return next(plain(text.value) for text in app.markdown if " reviewed" in text.value and " of " in text.value)


def answers(store: RunStore) -> list[Answer | None]:
    return [state.answer for state in states(store)]


def states(store: RunStore) -> list[State]:
    """Return what is said of each picture, in the order of the images; each has two keys."""
    return [state for key, state in sorted(ReviewBook(store).states().items()) if "@" in key]


def test_one_key_answers_and_the_next_picture_comes(store: RunStore, open_page: OpenPage) -> None:
    run = write_run(store, FRUIT)
    app = open_page("review", run=run, queue="unsure")
    assert shown(app) == "**image-0059.jpg** · 1 of 60 · 0 reviewed"
    app.button(key="answer_confirm").click().run()
    assert shown(app) == "**image-0058.jpg** · 2 of 60 · 1 reviewed"
    app.button(key="answer_label_2").click().run()
    app.button(key="answer_none").click().run()
    app.button(key="answer_unsure").click().run()
    assert shown(app) == "**image-0055.jpg** · 5 of 60 · 4 reviewed"
    assert answers(store) == [
        Answer(UNSURE),
        Answer(NONE),
        Answer(CLASS, "banana", "n02"),
        Answer(CLASS, "elderberry", "n05"),
    ]
    app.button(key="answer_undo").click().run()
    app.button(key="answer_undo").click().run()
    assert len(answers(store)) == 2
    # What is skipped stays open, and a fresh page begins with it.
    app.button(key="queue_skip").click().run()
    assert shown(open_page("review", run=run, queue="unsure")) == "**image-0057.jpg** · 3 of 60 · 2 reviewed"


def test_any_class_of_the_model_or_a_new_one(store: RunStore, open_page: OpenPage) -> None:
    run = write_run(store, FRUIT)
    app = open_page("review", run=run, queue="unsure")
    search = next(box for box in app.selectbox if str(box.key).startswith("answer_search"))
    assert "cherry pie" in search.options
    search.select("cherry pie").run()
    assert answers(store) == [Answer(CLASS, "cherry pie", "n03")]
    assert shown(app).startswith("**image-0058.jpg**")
    new = next(box for box in app.text_input if str(box.key).startswith("answer_new"))
    new.set_value("papaya").run()
    assert answers(store)[0] == Answer(CLASS, "papaya")
    search = next(box for box in app.selectbox if str(box.key).startswith("answer_search"))
    assert "papaya" in search.options


def test_star_tags_and_note_stay_with_the_picture(store: RunStore, open_page: OpenPage) -> None:
    run = write_run(store, FRUIT)
    app = open_page("review", run=run, queue="unsure")
    app.text_input(key="reviewer").set_value("Ann").run()
    app.button(key="answer_star").click().run()
    note = next(one for one in app.text_input if str(one.key).startswith("answer_note"))
    note.set_value("upside down").run()
    (state,) = states(store)
    assert (state.star, state.note, state.by, state.answer) == (True, "upside down", "Ann", None)
    assert shown(app).startswith("**image-0059.jpg** · 1 of 60")
    assert app.button(key="answer_star").label == "Remove star"


def test_reviews_are_the_truth_on_other_pages(store: RunStore, open_page: OpenPage) -> None:
    run = write_run(store, FRUIT)
    assert any("no true labels" in one.value for one in open_page("evaluate", run=run).info)
    table = map_results(store, run)
    right = [n for n in range(60) if n % 10 not in (2, 5, 8)][:20]
    entries = [Entry(Change(Answer(CLASS, "papaya")), tuple(pictures_at(table, [2, 5])))]
    entries += [
        Entry(Change(Answer(CLASS, table["label"][n].as_py(), "x")), tuple(pictures_at(table, [n]))) for n in right
    ]
    ReviewBook(store).add("ann", entries)
    app = open_page("evaluate", run=run)
    assert [metric.value for metric in app.metric][:3:2] == ["90.9 %", "22"]


@pytest.mark.parametrize("judged", [0, 25, 60])
def test_the_sample_tells_how_good_the_model_is(store: RunStore, open_page: OpenPage, judged: int) -> None:
    run = write_run(store, FRUIT)
    app = open_page("review", run=run)
    if judged:
        table = map_results(store, run)
        rows = random_sample(table, np.arange(60), run).rows[:judged]
        entries = [
            Entry(Change(Answer(CLASS, table["label"][int(n)].as_py())), tuple(pictures_at(table, [int(n)])))
            for n in rows
        ]
        ReviewBook(store).add("ann", entries)
        app.run()
    (said,) = [plain(one.value) for one in app.markdown if "60 images" in one.value]
    assert said.startswith(
        {
            0: "**How good is the model on these 60 images?**",
            25: "**Accuracy on all 60 images: 100.0 %** (95 % interval: ",
            60: "**Accuracy on all 60 images: 100.0 %** (95 % interval: 100.0 % to 100.0 %). All pictures are",
        }[judged]
    )
    assert ("From 25 images of the random sample. About " in said) is (judged == 25)


def test_queues_of_other_runs_and_true_labels(store: RunStore, open_page: OpenPage) -> None:
    write_run(store, Made(rows=30, error_every=0))
    run = write_run(store, Made(rows=30, error_every=0, shift=1, day=1))
    app = open_page("review", run=run, queue="disagree")
    assert shown(app) == "**image-0025.jpg** · 1 of 6 · 0 reviewed"
    app = open_page("review", run=run, queue="wrong")
    assert shown(app).startswith("**image-0000.jpg** · 1 of ")
