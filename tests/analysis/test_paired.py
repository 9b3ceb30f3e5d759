from __future__ import annotations

import numpy as np
import pytest

from sparkcore.analysis.comparison import ConfigChange
from sparkcore.analysis.paired import describe_settings, holm, judge_pairs, mcnemar
from tests.analysis.tables import failed, row, table_of

CAT, DOG = ("n1", "cat", 0.9), ("n2", "dog", 0.9)


def test_images_that_one_run_fixes_and_breaks() -> None:
    left = table_of(
        row("0.jpg", CAT, truth="cat"),
        row("1.jpg", DOG, truth="cat"),
        row("2.jpg", CAT, truth="dog"),
        row("3.jpg", DOG, truth="dog"),
        row("4.jpg", CAT),
        row("5.jpg", CAT, truth="cat"),
    )
    right = table_of(
        row("3.jpg", CAT, truth="dog"),
        row("2.jpg", DOG, truth="dog"),
        row("1.jpg", CAT, truth="cat"),
        row("0.jpg", CAT, truth="cat"),
        row("4.jpg", DOG),
        failed("5.jpg", "empty", truth="cat"),
    )
    found = judge_pairs(left, right)
    assert found is not None
    assert (found.judged, found.accuracy_left, found.accuracy_right) == (4, 0.5, 0.75)
    assert (found.fixed, found.broken, found.p_value) == (2, 1, 1.0)
    assert found.outcome.to_pylist() == [None, "fixed", "fixed", "broken", None, None]
    chance = {"p_value": 1.0, "p_adjusted": 1.0}
    assert found.classes.to_pylist() == [
        {"name": "dog", "images": 2, "accuracy_left": 0.5, "accuracy_right": 0.5, "fixed": 1, "broken": 1, **chance},
        {"name": "cat", "images": 2, "accuracy_left": 0.5, "accuracy_right": 1.0, "fixed": 1, "broken": 0, **chance},
    ]
    assert found.groups.num_rows == 0  # these classes have none
    assert found.sentence("A", "B") == (
        "The difference may be chance: B is ahead, it corrects 2 mistakes of A and makes 1 new one "
        "(McNemar's test, p = 1.000)."
    )
    same = judge_pairs(left, left)
    assert same is not None
    assert same.sentence() == "Both runs are correct on the same images (60.0 %)."
    assert judge_pairs(left, table_of(row("0.jpg", CAT))) is None
    assert judge_pairs(left, table_of(row("9.jpg", CAT, truth="cat"))) is None


def test_the_exact_test_of_mcnemar() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(10, 2) == pytest.approx(0.03857, abs=1e-5)  # binom.test(2, 12) of R
    assert mcnemar(2, 10) == mcnemar(10, 2)


def test_groups_in_which_a_run_is_better() -> None:
    dogs, birds = (
        [("n02099601", "golden_retriever"), ("n02088364", "beagle")],
        [("n01580077", "jay"), ("n01582220", "magpie")],
    )
    # The right run corrects ten beagles, and breaks two of four jays.
    cases = [(dogs[1], dogs[0], dogs[1])] * 10 + [(birds[0], birds[0], birds[1])] * 2 + [(birds[0],) * 3] * 2
    sides = [
        table_of(*(row(f"{n}.jpg", (*case[side], 0.9), truth=case[0][0]) for n, case in enumerate(cases)))
        for side in (1, 2)
    ]
    found = judge_pairs(*sides)
    assert found is not None
    rows = found.groups.select(["name", "images", "fixed", "broken"]).to_pylist()
    assert rows == [
        {"name": "Animals > Dogs", "images": 10, "fixed": 10, "broken": 0},
        {"name": "Animals > Birds", "images": 4, "fixed": 0, "broken": 2},
    ]
    assert found.groups["p_value"].to_pylist() == pytest.approx([2 / 1024, 0.5])
    assert found.groups["p_adjusted"].to_pylist() == pytest.approx([4 / 1024, 0.5])
    assert found.better_groups() == ([], ["Animals > Dogs"])


def test_the_correction_of_holm() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") of R
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([])).tolist() == []


def test_settings_as_a_sentence() -> None:
    changes = [
        ConfigChange("config.model", "/m/a.keras", "/m/b.keras"),
        ConfigChange("config.resize", "crop", "pad"),
        ConfigChange("config.min_width", None, 5),
        ConfigChange("config.images", "/u/" + "ab" * 32, "/u"),
        ConfigChange("model.name", "a", "b"),
        ConfigChange("model.digest", "0" * 64, "1" * 64),
        ConfigChange("versions.numpy", "1", "2"),
    ]
    assert (
        describe_settings(changes)
        == "Different settings: resize crop → pad; min width not set → 5; images /u/abababab → /u; model a → b."
    )
    assert describe_settings(changes[5:]) == "Both runs have the same settings."
