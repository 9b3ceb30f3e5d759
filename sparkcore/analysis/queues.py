"""The order in which pictures are worth a look of a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Rows, floats, is_ok
from sparkcore.analysis.comparison import differing
from sparkcore.analysis.sampling import Sample, draw_sample
from sparkcore.analysis.truth import has_truth, is_correct


def least_confident(table: pa.Table, rows: Rows) -> Rows:
    """Return the readable ones of these rows, the lowest score first."""
    rows = rows[is_ok(table, rows)]
    return rows[np.argsort(floats(table, "score", rows), kind="stable")]


def likely_wrong_labels(table: pa.Table, rows: Rows) -> Rows:
    """Return the rows whose true label is another one than the model's, the surest prediction first."""
    if not has_truth(table):
        return rows[:0]
    wrong = pc.fill_null(pc.invert(is_correct(table)), False).to_numpy(zero_copy_only=False)
    chosen = rows[wrong[rows]]
    return chosen[np.argsort(-floats(table, "score", chosen), kind="stable")]


def disagreements(table: pa.Table, others: Sequence[pa.Table], rows: Rows) -> Rows:
    """Return the rows to which other runs give another label, those of most runs first, then the lowest score."""
    votes = np.zeros(table.num_rows, dtype=np.int64)
    for other in others:
        votes[differing(table, other)] += 1
    chosen = rows[votes[rows] > 0]
    return chosen[np.lexsort((floats(table, "score", chosen), -votes[chosen]))]


def random_sample(table: pa.Table, rows: Rows, seed: str) -> Sample:
    """Return the readable ones of these rows in the order of a random sample; the same run gives the same order."""
    rows = np.sort(rows[is_ok(table, rows)])
    return draw_sample(rows, floats(table, "score", rows), int(seed, 16))
