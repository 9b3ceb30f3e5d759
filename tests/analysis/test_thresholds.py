from __future__ import annotations

import json

import numpy as np
import pytest

from sparkcore.analysis.policy import Aim, Policy, count_decisions, decide, fit_policy, with_decisions
from sparkcore.analysis.thresholds import calibrated, fit_rejection, fit_temperature, fit_threshold
from sparkcore.errors import RequestError
from tests.analysis.tables import failed, row, table_of

HALVES = 1000
SCORE = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4], dtype=np.float32)
CORRECT = np.array([True, True, False, True, True, False, False])


def made(images: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    share = generator.beta(3, 1, images)
    return share.astype(np.float32), generator.random(images) < share


def test_the_lowest_threshold_that_is_precise_enough() -> None:
    found = fit_threshold(SCORE, CORRECT, 0.8)
    assert found is not None
    assert (found.precision, found.kept) == (0.8, 5)
    assert found.threshold == pytest.approx(0.6)
    assert found.share == pytest.approx(5 / 7)
    assert found.low < 0.8 < found.high
    # Images of one score are kept together: both at 0.8 make two of three.
    assert fit_threshold(SCORE[:3], CORRECT[:3], 0.9).kept == 1  # type: ignore[union-attr]
    assert fit_threshold(SCORE, CORRECT, 0.8, guarantee=True) is None
    assert fit_threshold(SCORE, ~CORRECT, 1.0) is None
    assert fit_threshold(SCORE[:0], CORRECT[:0], 0.5) is None
    for wrong in (0, 1.2, float("nan")):
        with pytest.raises(RequestError, match="precision: expected a share"):
            fit_threshold(SCORE, CORRECT, wrong)


@pytest.mark.parametrize("precision", [0.85, 0.9, 0.95])
def test_the_low_end_holds_on_the_other_half(precision: float) -> None:
    score, correct = made(2000)
    held = broken = 0
    for seed in range(HALVES):
        order = np.random.default_rng(seed).permutation(len(score))
        one, other = order[:1000], order[1000:]
        found = fit_threshold(score[one], correct[one], precision)
        assert found is not None
        held += correct[other][score[other] >= found.threshold].mean() >= found.low
        sure = fit_threshold(score[one], correct[one], precision, guarantee=True)
        broken += sure is not None and correct[other][score[other] >= sure.threshold].mean() < precision
    assert held >= 935
    assert broken <= 65


def test_what_is_hopeless_is_rejected() -> None:
    assert fit_rejection(SCORE, CORRECT, 0.0) == pytest.approx(0.6)
    assert fit_rejection(SCORE, CORRECT, 0.4) == pytest.approx(0.7)
    assert fit_rejection(SCORE, np.ones(7, dtype=bool), 0.4) == 0.0


def test_a_temperature_makes_scores_probabilities() -> None:
    share, correct = made(20000)
    for temperature in (0.5, 1.0, 2.0):
        odds = np.log(share) - np.log1p(-share)
        score = (1 / (1 + np.exp(-odds * temperature))).astype(np.float32)
        found = fit_temperature(score, correct)
        assert found == pytest.approx(temperature, rel=0.1)
        assert np.abs(calibrated(score, found) - share).max() < 0.05


def test_a_policy_decides_and_is_a_file() -> None:
    rows = [row(f"{n}.jpg", ("n1", "cat", 0.99 - n / 100), truth="cat" if n % 50 < 40 else "dog") for n in range(90)]
    rows += [row(f"d{n}.jpg", ("n2", "dog", 0.95 - n / 100), truth="dog") for n in range(40)]
    table = table_of(*rows, failed("e.jpg", "empty"))
    fitted = fit_policy(table, Aim(0.9, rejected_correct=0.3, by_class=True), name="careful", run_id="r")
    policy = fitted.policy
    assert (fitted.judged, fitted.found.precision >= 0.9, policy.run_id) == (130, True, "r")
    assert policy.classes == {"cat": pytest.approx(0.55, abs=0.06), "dog": pytest.approx(0.56)}
    assert Policy.from_json(policy.to_json()) == policy
    decided = decide(table, policy)
    counts = count_decisions(decided)
    assert sum(counts.values()) == 130
    assert decided[130].as_py() is None
    assert decided[89].as_py() in ("review", "reject")
    accepted = with_decisions(table, policy)["decision"].to_pylist()
    assert accepted.count("accept") == counts["accept"] > 70
    exact = Policy("half", float(table["score"][3].as_py()))
    assert decide(table, exact)[3].as_py() == "accept"


@pytest.mark.parametrize("text", ["", "[]", '{"name": "a"}', '{"name": "a", "accept": 2}', '{"name": "", "accept": 1}'])
def test_other_files_are_no_policy(text: str) -> None:
    with pytest.raises(RequestError, match="policy: expected JSON"):
        Policy.from_json(text)
    with pytest.raises(RequestError, match="policy: expected JSON"):
        Policy.from_json(json.dumps({"name": "a", "accept": 0.5, "more": 1}))


def test_without_true_labels_there_is_no_policy() -> None:
    with pytest.raises(RequestError, match="review some"):
        fit_policy(table_of(row("a.jpg", ("n1", "cat", 0.9))), Aim(0.9), name="a")
