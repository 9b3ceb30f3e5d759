from __future__ import annotations

from dataclasses import replace

import pytest

from pages.components import cached
from pages.components.opened import Opened, open_run
from sparkcore.analysis.filters import Filters
from sparkcore.runs.store import RunStore
from tests.pages.stored_runs import OTHER_RUN, ROWS, RUN, store_run

DOGS = Filters(labels=("dog",))


@pytest.fixture
def opened(store: RunStore) -> Opened:
    """Give an opened run."""
    store_run(store)
    return open_run(store, RUN)


def test_viewers_share_what_is_computed(store: RunStore, opened: Opened):
    again = open_run(store, RUN)
    assert cached.matching_rows(opened, DOGS).tolist() == [1, 3, 4]
    assert cached.matching_rows(opened, DOGS) is cached.matching_rows(again, DOGS)
    assert cached.truth(opened) is cached.truth(again)
    assert cached.summary(opened, DOGS, "label_counts", top=2) is cached.summary(again, DOGS, "label_counts", top=2)


def test_other_filters_and_arguments_have_results_of_their_own(opened: Opened):
    assert cached.matching_rows(opened, Filters()).tolist() == list(range(len(ROWS)))
    assert cached.sorted_rows(opened, DOGS, "score", descending=True).tolist() == [1, 3, 4]
    assert cached.sorted_rows(opened, DOGS, "score", descending=False).tolist() == [4, 3, 1]
    assert cached.summary(opened, Filters(), "label_counts", top=1).num_rows == 2
    assert cached.summary(opened, Filters(), "label_counts", top=3).num_rows == 3


def test_a_run_that_is_computed_again_is_another_one(store: RunStore, opened: Opened):
    assert cached.matching_rows(opened, DOGS).tolist() == [1, 3, 4]
    store_run(store, ROWS[3:], OTHER_RUN)
    renewed = replace(
        open_run(store, OTHER_RUN), manifest=replace(opened.manifest, finished_at="2026-02-03T04:05:06+00:00")
    )
    assert renewed.key != opened.key
    assert cached.matching_rows(renewed, DOGS).tolist() == [0, 1]


def test_shared_rows_cannot_be_changed(opened: Opened):
    with pytest.raises(ValueError, match="read-only"):
        cached.sorted_rows(opened, DOGS, "score", descending=True)[0] = 0


def test_filters_that_leave_no_true_label_have_no_evaluation(opened: Opened):
    assert cached.evaluation(opened, Filters(status="error")) is None
    found = cached.evaluation(opened, DOGS)
    assert found is not None
    assert found.support == 3
