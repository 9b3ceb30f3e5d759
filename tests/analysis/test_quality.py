from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from sparkcore.analysis.quality import KINDS, Thresholds, find_problems, measures
from sparkcore.schema import light_schema
from tests.analysis.test_similarity import vectors_of

GOOD = {
    "width": 400, "height": 300, "channels": 3, "brightness": 0.5, "contrast": 0.2, "sharpness": 500.0, "status": "ok",
}  # fmt: skip


def test_each_kind_with_the_worst_first_and_thresholds_to_move() -> None:
    rows = [
        {**GOOD, "brightness": 0.1}, {**GOOD, "brightness": 0.05}, {**GOOD, "brightness": 0.95},
        {**GOOD, "contrast": 0.01}, {**GOOD, "sharpness": 5.0}, {**GOOD, "width": 20}, {**GOOD, "width": 1000},
        {**GOOD, "channels": 1}, {"status": "error"}, GOOD, GOOD,
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=light_schema())
    embeddings = np.ones((11, 70)) + 0.1 * np.eye(11, 70)
    embeddings[9] = np.eye(70)[60]
    embeddings[8] = 0
    found = measures(table, vectors_of(embeddings))
    problems = find_problems(found)
    assert tuple(problems) == KINDS
    assert {kind: rows.tolist() for kind, rows in problems.items()} == {
        "dark": [1, 0], "bright": [2], "low contrast": [3], "blurry": [4], "tiny": [5], "odd aspect": [5, 6],
        "grayscale": [7], "unlike all others": [9],
    }  # fmt: skip
    moved = find_problems(found, replace(Thresholds(), dark=0.06, unlike=0.05))
    assert (moved["dark"].tolist(), moved["unlike all others"].tolist()) == ([1], [])
    without = find_problems(measures(table, None))
    assert without["unlike all others"].tolist() == []
