"""A policy: which predictions are accepted as they are, which a person looks at, and which are thrown away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.columns import Rows, encode, floats
from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.analysis.thresholds import (
    CONFIDENCE,
    Bools,
    Threshold,
    fit_rejection,
    fit_temperature,
    fit_threshold,
)
from sparkcore.analysis.truth import is_correct
from sparkcore.errors import RequestError

ACCEPT, REVIEW, REJECT = "accept", "review", "reject"
DECISIONS = (ACCEPT, REVIEW, REJECT)
CLASS_IMAGES = 30  # judged predictions of a class that gets a threshold of its own


@dataclass(frozen=True, slots=True)
class Aim:
    """Hold what a policy is to reach: the `precision` of what is accepted.

    With `guarantee`, its interval must lie above. Below the rejection at most the share `rejected_correct` of the
    judged predictions is correct (0: nothing is rejected). With `by_class`, classes with many judged predictions get
    thresholds of their own.
    """

    precision: float
    guarantee: bool = False
    rejected_correct: float = 0.0
    by_class: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Hold thresholds and what is known of them; `classes` has those of single classes by label.

    A prediction is accepted from its threshold on, rejected below `reject`, and otherwise for a person.
    """

    name: str
    accept: float
    reject: float = 0.0
    classes: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    run_id: str = ""
    wanted: float | None = None
    precision: float | None = None
    low: float | None = None
    high: float | None = None

    def to_json(self) -> str:
        """Return the content of a policy's file."""
        return f"{json.dumps(asdict(self), indent=2, ensure_ascii=False)}\n"

    def named(self, name: str) -> Policy:
        """Return the policy under another name."""
        return replace(self, name=name)

    @classmethod
    def from_json(cls, text: str | bytes) -> Policy:
        """Read a policy; raises RequestError for any other content."""
        try:
            values = json.loads(text)
            policy = cls(**{**values, "classes": {str(k): float(v) for k, v in values.get("classes", {}).items()}})
            thresholds = [policy.accept, policy.reject, *policy.classes.values()]
            if not all(0 <= float(one) <= 1 for one in thresholds) or not str(policy.name).strip():
                raise ValueError("a threshold is outside of 0 to 1, or the name is empty")
        except (ValueError, TypeError, AttributeError) as error:
            raise RequestError(f"policy: expected JSON of `policy fit`, with name and accept, but: {error}.") from error
        return policy


@dataclass(frozen=True, slots=True)
class FittedPolicy:
    """Hold a policy, the threshold that all classes share, and the number of images that it was fitted to."""

    policy: Policy
    found: Threshold
    judged: int


def fit_policy(table: pa.Table, aim: Aim, *, name: str, run_id: str = "", rows: Rows | None = None) -> FittedPolicy:
    """Fit a policy to the judged images of a result; raises RequestError where no threshold reaches the aim."""
    judged = _judged(table, rows)
    if not len(judged):
        raise RequestError(
            "Expected images with a true label and a prediction, received none. Run again with true labels, or review "
            "some of the images."
        )
    score, correct = floats(table, "score", judged), _correct(table)[judged]
    found = fit_threshold(score, correct, aim.precision, guarantee=aim.guarantee)
    if found is None:
        raise RequestError(
            f"precision: expected one that some scores reach, received {aim.precision:g}, which none of "
            f"{len(judged):,} judged images does. Ask for less, or review more pictures."
        )
    policy = Policy(
        name=name,
        accept=found.threshold,
        reject=min(fit_rejection(score, correct, aim.rejected_correct), found.threshold)
        if aim.rejected_correct
        else 0.0,
        classes=_class_thresholds(table, judged, correct, aim) if aim.by_class else {},
        temperature=fit_temperature(score, correct),
        run_id=run_id,
        wanted=aim.precision,
        precision=found.precision,
        low=found.low,
        high=found.high,
    )
    return FittedPolicy(policy, found, len(judged))


def measure_precision(table: pa.Table, policy: Policy, rows: Rows | None = None) -> Threshold | None:
    """Return how precise the accepted predictions of a result are; None where none of them has a true label."""
    judged = _judged(table, rows)
    accepted = pc.equal(decide(table, policy), ACCEPT).fill_null(False).to_numpy(zero_copy_only=False)[judged]
    kept, hits = int(accepted.sum()), int(_correct(table)[judged[accepted]].sum())
    if not kept:
        return None
    low, high = clopper_pearson(hits, kept, CONFIDENCE)
    return Threshold(policy.accept, hits / kept, low, high, kept, kept / len(judged))


def decide(table: pa.Table, policy: Policy) -> pa.Array:
    """Return one of DECISIONS for every row; null where there is no prediction."""
    label, score = encode(table["label"]), floats(table, "score")
    by_label = [policy.classes.get(value, policy.accept) for value in label.values]
    # In the scores' own precision: as a double, the float32 0.7 would be below a threshold of 0.7.
    accept = np.array([*by_label, 2.0], dtype=np.float32)[label.codes]
    code = np.where(score >= accept, 0, np.where(score >= np.float32(policy.reject), 1, 2))
    return pa.DictionaryArray.from_arrays(pa.array(code, pa.int32(), mask=label.codes < 0), list(DECISIONS)).cast(
        pa.string()
    )


def with_decisions(table: pa.Table, policy: Policy) -> pa.Table:
    """Return the result with the column `decision`."""
    return table.append_column("decision", decide(table, policy))


def count_decisions(decisions: pa.Array) -> dict[str, int]:
    """Return the number of images by decision."""
    counts = {one["values"]: one["counts"] for one in pc.value_counts(decisions.drop_null()).to_pylist()}
    return {name: counts.get(name, 0) for name in DECISIONS}


def _judged(table: pa.Table, rows: Rows | None) -> Rows:
    judged = np.flatnonzero(pc.is_valid(is_correct(table)).to_numpy(zero_copy_only=False))
    return judged if rows is None else np.intersect1d(judged, rows, assume_unique=True)


def _correct(table: pa.Table) -> Bools:
    found: Bools = pc.fill_null(is_correct(table), False).to_numpy(zero_copy_only=False)
    return found


def _class_thresholds(table: pa.Table, judged: Rows, correct: Bools, aim: Aim) -> dict[str, float]:
    label, score = encode(table["label"]).at(judged), floats(table, "score", judged)
    counts = np.bincount(label.codes, minlength=len(label.values))
    found: dict[str, Any] = {}
    for code in np.flatnonzero(counts >= CLASS_IMAGES):
        chosen = label.codes == code
        found[label.values[code]] = fit_threshold(
            score[chosen], correct[chosen], aim.precision, guarantee=aim.guarantee
        )
    return {name: one.threshold if one else 1.0 for name, one in found.items()}
