"""The queue of pictures that are worth a look: its order, a place in it, and what reviews tell of the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from functools import partial

import numpy as np
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, cached, comparison, text
from pages.components.browse import step_button
from pages.components.opened import Opened, finished_runs, open_run
from sparkcore.analysis import queues, review_stats
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.reviewed import is_judged
from sparkcore.analysis.sampling import MARGIN, Estimate, Sample
from sparkcore.analysis.truth import has_truth
from sparkcore.errors import SparkcoreError
from sparkcore.reviews.review import State

SAMPLE, UNSURE, WRONG, DISAGREE, CHANGED = "sample", "unsure", "wrong", "disagree", "changed"
_TITLES = {
    SAMPLE: "Random sample",
    UNSURE: "Least confident",
    WRONG: "Likely wrong labels",
    DISAGREE: "Models disagree",
    CHANGED: "Changed labels",
}
_ABOUT = {
    UNSURE: "The lowest scores first.",
    WRONG: "Pictures whose true label is another one than the prediction, the surest predictions first.",
    DISAGREE: "Pictures that other runs of the same folder label differently.",
}
_OTHER_RUNS = 5
_OTHER_ROWS = 100_000  # opening larger runs takes seconds the first time
# Fields of the filters that a review of a picture changes.
_JUDGING = ("correct", "pair", "review", "tags")


def show_choice(opened: Opened) -> str:
    """Draw the choice of the queue, and return the chosen one."""
    offered = [SAMPLE, UNSURE]
    offered += [WRONG] if has_truth(opened.plain) else []
    offered += [DISAGREE] if _others(opened) else []
    other = _compared(opened)
    offered += [CHANGED] if other else []
    chosen = address.get("queue", SAMPLE, offered)
    key = address.mirror("review_queue", chosen)
    st.segmented_control(
        "Queue",
        offered,
        key=key,
        format_func=_TITLES.__getitem__,
        on_change=_choose,
        args=(key,),
        label_visibility="collapsed",
        required=True,
    )
    if chosen in _ABOUT:
        st.caption(_ABOUT[chosen])
    if chosen == CHANGED and other:
        st.caption(f"What {text.escape(other.name)} labels differently, the largest change in score first.")
    return chosen


def rows(opened: Opened, wanted: Filters, queue: str) -> Rows:
    """Return the rows of a queue in its order, which reviews do not change."""
    is_stable = not any(getattr(wanted, field.name) for field in fields(wanted) if field.name in _JUDGING)
    base = opened.without_reviews if is_stable else opened
    other = _compared(opened) if queue == CHANGED else None
    if other is not None:
        return _changed(base, other, wanted)
    return _rows(base, wanted, queue, tuple(_others(opened)) if queue == DISAGREE else ())


def place(opened: Opened, order: Rows) -> int:
    """Return the place in the queue of the image in the address, else of the first one without an answer."""
    image_id = address.get("image")
    number = pc.index(opened.plain["image_id"], image_id).as_py() if image_id else -1
    found = np.flatnonzero(order == number)
    return int(found[0]) if len(found) else next_open(opened.said, order, -1)


def next_open(said: Mapping[int, State], order: Rows, after: int) -> int:
    """Return the next place without an answer, from the beginning again at the end; `after` + 1 where all have one."""
    places = [*range(after + 1, len(order)), *range(after + 1)]
    found = (place for place in places if place != after and not is_judged(said, int(order[place])))
    return next(found, min(after + 1, len(order) - 1))


def go(opened: Opened, order: Rows, there: int) -> None:
    """Show the picture at a place of the queue; call it from callbacks."""
    if 0 <= there < len(order):
        address.change({"image": opened.plain["image_id"][int(order[there])].as_py()})


def go_on(opened: Opened, order: Rows, here: int) -> None:
    """Show the next picture without an answer; call it from callbacks."""
    go(opened, order, next_open(opened.said, order, here))


def show_steps(opened: Opened, order: Rows, here: int) -> None:
    """Draw the place in the queue, and the buttons to the pictures beside it."""
    judged = sum(is_judged(opened.said, row) for row in order.tolist()) if opened.said else 0
    name = opened.plain["file_name"][int(order[here])].as_py()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{text.escape(name)}** · {here + 1:,} of {len(order):,} · {judged:,} reviewed", width="content")
        with st.container(horizontal=True, width="content"):
            for label, there in (("Previous", here - 1), ("Skip", here + 1)):
                is_there = 0 <= there < len(order)
                step_button(label, f"queue_{label.lower()}", partial(go, opened, order, there) if is_there else None)


def show_estimate(opened: Opened, wanted: Filters) -> None:
    """Draw the accuracy on all pictures, as far as the reviewed beginning of the random sample tells it."""
    found = _estimate(opened, wanted)
    with st.container(border=True, key="review_estimate"):
        if found is None:
            sample = _sample(opened.without_reviews, wanted)
            seen = review_stats.reviewed_beginning(sample.rows, opened.said)
            st.markdown(
                f"**How good is the model on these {text.images(len(sample.rows))}?** Review pictures of this random "
                f"sample: {seen:,} so far. The first interval needs a few pictures of every score."
            )
            return
        st.markdown(
            f"**Accuracy on all {text.images(found.images)}: {text.percent(found.accuracy)}** "
            f"(95 % interval: {text.percent(found.low)} to {text.percent(found.high)}). {_said(found)}"
        )


def _said(found: Estimate) -> str:
    unclear = f" {text.images(found.unclear)} where nobody can tell are left out." if found.unclear else ""
    if found.judged == found.images:
        return f"All pictures are reviewed.{unclear}"
    points = f"±{100 * MARGIN:.0f} points"
    more = f"About {found.more:,} more for {points}." if found.more else f"It is narrower than {points}."
    return f"From {text.images(found.judged)} of the random sample. {more}{unclear}"


def _choose(key: str) -> None:
    address.change({"queue": st.session_state[key], "image": None})


def _changed(opened: Opened, other: Opened, wanted: Filters) -> Rows:
    """Return the rows of the pictures that the page Compare shows, in its order."""
    chosen = comparison.change_filter()
    if not chosen.outcome:  # else reviews, which are true labels, decide
        opened, other = opened.without_reviews, other.without_reviews
    compared = cached.comparison(opened, other, wanted)
    return compared.rows[0][comparison.matching_changes(compared.changed, chosen)]


def _compared(opened: Opened) -> Opened | None:
    """Return the run that a comparison has led here from."""
    run_id = address.get(comparison.WITH)
    if not run_id or run_id == opened.run_id:
        return None
    try:
        return open_run(opened.store, run_id)
    except SparkcoreError:
        return None


def _others(opened: Opened) -> list[Opened]:
    """Return the newest other runs of the same pictures, as far as they can be opened."""
    others = [
        manifest.run_id
        for manifest in finished_runs(opened.store)
        if manifest.config["images"] == opened.manifest.config["images"]
        and manifest.run_id != opened.run_id
        and manifest.counts["images"] <= _OTHER_ROWS
    ]
    found = []
    for run_id in others[:_OTHER_RUNS]:
        with suppress(SparkcoreError):
            found.append(open_run(opened.store, run_id).without_reviews)
    return found


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=cached.BY_KEY)
def _rows(opened: Opened, wanted: Filters, queue: str, others: tuple[Opened, ...]) -> Rows:
    passing = cached.matching_rows(opened, wanted)
    if queue == SAMPLE:
        return _sample(opened, wanted).rows
    if queue == UNSURE:
        return queues.least_confident(opened.table, passing)
    if queue == WRONG:
        return queues.likely_wrong_labels(opened.table, passing)
    return queues.disagreements(opened.table, [other.table for other in others], passing)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=cached.BY_KEY)
def _sample(opened: Opened, wanted: Filters) -> Sample:
    return queues.random_sample(opened.table, cached.matching_rows(opened, wanted), opened.run_id)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=cached.BY_KEY)
def _estimate(opened: Opened, wanted: Filters) -> Estimate | None:
    sample = _sample(opened.without_reviews, wanted)
    judged = review_stats.judge_rows(opened.plain, opened.said)
    return review_stats.estimate_from_reviews(sample, judged, opened.said)
