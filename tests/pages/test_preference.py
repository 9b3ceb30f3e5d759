"""Which true label counts where a picture has two."""

from __future__ import annotations

import pytest

from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.pictures import pictures_at
from sparkcore.reviews.review import CLASS, UNSURE, Answer, Change, Entry
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of
from tests.runs_fixture import Made, write_run


@pytest.mark.parametrize("page", ["evaluate", "scores", "compare"])
def test_reviews_come_first_on_request(store: RunStore, open_page: OpenPage, page: str) -> None:
    run = write_run(store, Made(rows=40, error_every=0))
    write_run(store, Made(rows=40, error_every=0, shift=1))
    table = map_results(store, run)
    wrong = table.slice(2, 1)["label"][0].as_py()  # a mistake, by its folder
    ReviewBook(store).add("me", [Entry(Change(Answer(UNSURE)), tuple(pictures_at(table, [0])))])
    assert not [one for one in open_page(page, run=run).toggle if one.key == "prefer_reviews"]
    ReviewBook(store).add("me", [Entry(Change(Answer(CLASS, wrong)), tuple(pictures_at(table, [2])))])
    app = open_page(page, run=run)
    app.toggle(key="prefer_reviews").set_value(True).run()
    assert address_of(app)["prefer"] == ["reviews"]
    if page == "evaluate":
        assert app.metric[0].value == "72.5 %"
        app.toggle(key="prefer_reviews").set_value(False).run()
        assert app.metric[0].value == "70.0 %"
