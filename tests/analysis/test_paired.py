from __future__ import annotations

import pytest

from sparkcore.analysis.comparison import ConfigChange
from sparkcore.analysis.paired import describe_settings, judge_pairs, mcnemar
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
    assert found.classes.to_pylist() == [
        {"name": "dog", "images": 2, "accuracy_left": 0.5, "accuracy_right": 0.5, "fixed": 1, "broken": 1},
        {"name": "cat", "images": 2, "accuracy_left": 0.5, "accuracy_right": 1.0, "fixed": 1, "broken": 0},
    ]
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


def test_settings_as_a_sentence() -> None:
    changes = [
        ConfigChange("config.model", "/m/a.keras", "/m/b.keras"),
        ConfigChange("config.resize", "crop", "pad"),
        ConfigChange("config.min_width", None, 5),
        ConfigChange("model.name", "a", "b"),
        ConfigChange("model.digest", "0" * 64, "1" * 64),
        ConfigChange("versions.numpy", "1", "2"),
    ]
    assert describe_settings(changes) == "Different settings: resize crop → pad; min width not set → 5; model a → b."
    assert describe_settings(changes[4:]) == "Both runs have the same settings."
