"""What the reviews of a run come to: counts, and the accuracy of the model on all of its pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Rows
from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.analysis.queues import random_sample
from sparkcore.analysis.reviewed import REVIEWED, is_judged, reviewed_rows, with_said
from sparkcore.analysis.sampling import Bools, Estimate, Sample, estimate
from sparkcore.analysis.truth import is_correct
from sparkcore.reviews.review import CLASS, NONE, UNSURE, State


@dataclass(frozen=True, slots=True)
class ReviewStats:
    """Hold counts of reviewed images of a run.

    `reviewed` have an answer of any kind; `judged` ones are classes or "not in any class" of images with a prediction.
    `low` and `high` are the 95 % interval of the accuracy as if the judged images were a random sample; `whole` is that
    of the whole run by the images of its random sample, None where too few of them are judged.
    """

    images: int
    reviewed: int
    judged: int
    correct: int
    accuracy: float | None
    low: float | None
    high: float | None
    not_in_any_class: int
    cannot_tell: int
    starred: int
    tags: dict[str, int]
    people: dict[str, int]
    whole: Estimate | None


def review_stats(table: pa.Table, states: Mapping[str, State], run_id: str) -> ReviewStats:
    """Return the counts of a run; `table` is its result without reviews."""
    said = reviewed_rows(table, states)
    correct, judged = judge_rows(table, said)
    hits, count = int(correct.sum()), int(judged.sum())
    low, high = clopper_pearson(hits, count) if count else (None, None)
    kinds = Counter(state.answer.kind for state in said.values() if state.answer)
    sample = random_sample(table, np.arange(table.num_rows), run_id)
    return ReviewStats(
        images=table.num_rows,
        reviewed=kinds[CLASS] + kinds[NONE] + kinds[UNSURE],
        judged=count,
        correct=hits,
        accuracy=hits / count if count else None,
        low=low,
        high=high,
        not_in_any_class=kinds[NONE],
        cannot_tell=kinds[UNSURE],
        starred=sum(state.star for state in said.values()),
        tags=dict(Counter(tag for state in said.values() for tag in state.tags).most_common()),
        people=dict(Counter(state.by for state in said.values()).most_common()),
        whole=estimate_from_reviews(sample, (correct, judged), said),
    )


def judge_rows(table: pa.Table, said: Mapping[int, State]) -> tuple[Bools, Bools]:
    """Return for every row whether its prediction is correct by its review, and whether it is judged at all."""
    correct, judged = np.zeros(table.num_rows, dtype=bool), np.zeros(table.num_rows, dtype=bool)
    if said:
        rows = np.array(list(said), dtype=np.int64)
        part = with_said(table.take(pa.array(rows)), dict(enumerate(said.values())), reviews_first=True)
        is_known = pc.and_(pc.is_valid(found := is_correct(part)), pc.equal(part["truth_source"], REVIEWED))
        judged[rows] = pc.fill_null(is_known, False).to_numpy()
        correct[rows] = judged[rows] & pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return correct, judged


def estimate_from_reviews(sample: Sample, judged: tuple[Bools, Bools], said: Mapping[int, State]) -> Estimate | None:
    """Estimate the accuracy of a sample's population from its reviewed beginning.

    Images that are reviewed out of turn count once the sample has come to them: which images somebody looks at for
    another reason is no chance.
    """
    correct, is_judged_row = judged
    seen = reviewed_beginning(sample.rows, said)
    return estimate(sample, correct[sample.rows], is_judged_row[sample.rows], seen)


def reviewed_beginning(rows: Rows, said: Mapping[int, State]) -> int:
    """Return how many rows from the first one on have an answer."""
    return next((place for place, row in enumerate(rows.tolist()) if not is_judged(said, row)), len(rows))
