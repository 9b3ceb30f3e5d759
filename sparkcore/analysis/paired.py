"""Which of two runs is better, judged image by image on the images whose true label both know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Rows
from sparkcore.analysis.comparison import ConfigChange, join
from sparkcore.analysis.label_table import GROUP_LEVELS
from sparkcore.analysis.truth import has_truth, is_correct, match
from sparkcore.groups import path_text
from sparkcore.imaging.lettering import display_name, percent
from sparkcore.runs.class_names import groups_of

SIGNIFICANCE = 0.05
FIXED, BROKEN = "fixed", "broken"
_DIGITS = 8  # of a digest that people see


@dataclass(frozen=True, slots=True)
class Paired:
    """Hold how two runs, left and right, do on the same `judged` images.

    `fixed` images are wrong on the left and correct on the right, `broken` ones the other way round. `p_value` is that
    of McNemar's exact test. `outcome` is FIXED, BROKEN or null for every row of the left run. `classes` has a row for
    each true class where the runs differ, `groups` for each group of true classes: name, images, accuracy_left,
    accuracy_right, fixed, broken, p_value, and p_adjusted (Holm's correction for the number of rows).
    """

    judged: int
    accuracy_left: float
    accuracy_right: float
    fixed: int
    broken: int
    p_value: float
    outcome: pa.Array
    classes: pa.Table
    groups: pa.Table

    def better_groups(self) -> tuple[list[str], list[str]]:
        """Return the groups in which the left and the right run are better, beyond chance at SIGNIFICANCE."""
        rows = [row for row in self.groups.to_pylist() if row["p_adjusted"] < SIGNIFICANCE]
        left = [row["name"] for row in rows if row["broken"] > row["fixed"]]
        return left, [row["name"] for row in rows if row["fixed"] > row["broken"]]

    def sentence(self, left: str = "the first run", right: str = "the second run") -> str:
        """Say in words which run is better, and whether chance explains it."""
        if not self.fixed + self.broken:
            return f"Both runs are correct on the same images ({percent(self.accuracy_left)})."
        better, other = (right, left) if self.fixed > self.broken else (left, right)
        gains, losses = max(self.fixed, self.broken), min(self.fixed, self.broken)
        new = "1 new one" if losses == 1 else f"{losses:,} new ones"
        counts = f"it corrects {gains:,} {'mistake' if gains == 1 else 'mistakes'} of {other} and makes {new}"
        p_value = "less than 0.001" if self.p_value < 0.001 else f"{self.p_value:.3f}"
        if gains == losses:
            return f"Neither run is better: each is correct on {gains:,} images where the other one is not."
        if self.p_value < SIGNIFICANCE:
            return f"{better[:1].upper()}{better[1:]} is better: {counts} (McNemar's test, p = {p_value})."
        return f"The difference may be chance: {better} is ahead, {counts} (McNemar's test, p = {p_value})."


def judge_pairs(left: pa.Table, right: pa.Table) -> Paired | None:
    """Compare two results on the images that both judge; None where there are none.

    Source of the test: McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947); exact, by the binomial distribution.
    """
    if not (has_truth(left) and has_truth(right)):
        return None
    left_rows, right_rows = join(left["image_id"], right["image_id"])
    first, second = is_correct(left).take(pa.array(left_rows)), is_correct(right).take(pa.array(right_rows))
    judged = pc.and_(pc.is_valid(first), pc.is_valid(second)).to_numpy(zero_copy_only=False)
    if not judged.any():
        return None
    before, after = (pc.fill_null(one, False).to_numpy(zero_copy_only=False)[judged] for one in (first, second))
    rows = left_rows[judged]
    fixed, broken = ~before & after, before & ~after
    return Paired(
        judged=len(rows),
        accuracy_left=float(before.mean()),
        accuracy_right=float(after.mean()),
        fixed=int(fixed.sum()),
        broken=int(broken.sum()),
        p_value=mcnemar(int(fixed.sum()), int(broken.sum())),
        outcome=_outcome(left.num_rows, rows[fixed], rows[broken]),
        classes=_by_class(left, rows, before, after),
        groups=_by_group(left, rows, before, after),
    )


def mcnemar(fixed: int, broken: int) -> float:
    """Return the two-sided p-value of McNemar's exact test."""
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(fixed, broken), fixed + broken, 0.5))) if fixed + broken else 1.0


def describe_settings(changes: list[ConfigChange]) -> str:
    """Return which settings differ as one sentence, without digests and versions."""
    named = [change for change in changes if _is_told(change)]
    if not named:
        return "Both runs have the same settings."
    told = (f"{_name(one.name)} {_value(one.left)} → {_value(one.right)}" for one in named)
    return f"Different settings: {'; '.join(told)}."


def _is_told(change: ConfigChange) -> bool:
    section, _, name = change.name.partition(".")
    return (section == "config" and name != "model") or change.name == "model.name"


def _name(name: str) -> str:
    return "model" if name == "model.name" else display_name(name.partition(".")[2])


def _value(value: object) -> str:
    said = "not set" if value in (None, [], "") else str(value)
    return re.sub(r"[0-9a-f]{16,}", lambda digest: digest[0][:_DIGITS], said)


def _outcome(size: int, fixed: Rows, broken: Rows) -> pa.Array:
    codes = np.full(size, -1, dtype=np.int32)
    codes[fixed], codes[broken] = 0, 1
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), [FIXED, BROKEN]).cast(pa.string())


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values corrected for their number: the chance of any false alarm among all stays the level.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979).
    """
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate((len(p_values) - np.arange(len(p_values))) * p_values[order])
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _by_class(left: pa.Table, rows: Rows, before: np.ndarray, after: np.ndarray) -> pa.Table:
    matched = match(left)
    return _split(matched.names, matched.truth[rows], before, after)


def _by_group(left: pa.Table, rows: Rows, before: np.ndarray, after: np.ndarray) -> pa.Table:
    matched, known = match(left), groups_of(left)
    texts = [path_text(known.get(class_id, ())[:GROUP_LEVELS]) for class_id in matched.class_ids]
    names = list(dict.fromkeys(filter(None, texts)))
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([place.get(text, -1) for text in texts], dtype=np.int64)[matched.truth[rows]]
    inside = codes >= 0
    return _split(names, codes[inside], before[inside], after[inside])


def _split(names: Sequence[str], codes: np.ndarray, before: np.ndarray, after: np.ndarray) -> pa.Table:
    """Return what differs for each code, the most differing images first."""
    size = len(names)
    images = np.bincount(codes, minlength=size)
    hits = [np.bincount(codes[one], minlength=size) for one in (before, after)]
    fixed, broken = (np.bincount(codes[one], minlength=size) for one in (~before & after, before & ~after))
    differing = np.flatnonzero(fixed + broken)
    order = differing[np.lexsort((differing, -(fixed + broken)[differing]))]
    p_values = np.array([mcnemar(int(fixed[code]), int(broken[code])) for code in order])
    return pa.table(
        {
            "name": pa.array([names[code] for code in order], pa.string()),
            "images": images[order],
            "accuracy_left": hits[0][order] / images[order],
            "accuracy_right": hits[1][order] / images[order],
            "fixed": fixed[order],
            "broken": broken[order],
            "p_value": pa.array(p_values, pa.float64()),
            "p_adjusted": pa.array(holm(p_values), pa.float64()),
        }
    )
