from __future__ import annotations

import pytest

from sparkcore.analysis.truth import has_truth, in_top, is_correct, match, normalize
from tests.analysis.tables import Guess, failed, row, table_of

ORANGE = ("n07747607", "orange", 0.9)
PICKUP = ("n03930630", "pickup", 0.05)
BEAR = ("n02132136", "brown_bear", 0.9)


@pytest.mark.parametrize(
    ("guess", "truth", "expected"),
    [
        (ORANGE, "n07747607", True),
        (ORANGE, "N07747607", True),
        (ORANGE, "Orange", True),
        (ORANGE, "n07747607_orange", True),
        (ORANGE, "n07747607-1234", True),
        (ORANGE, "n07747607 something else", True),
        (ORANGE, "n077476075", False),
        (ORANGE, "oranges", False),
        (ORANGE, "orange juice", False),
        (ORANGE, "n03930630_orange", False),
        (BEAR, "brown bear", True),
        (BEAR, "Brown-Bear", True),
        (BEAR, " brown__bear ", True),
        (BEAR, "brown", False),
        ((None, "STRASSE", 0.9), "Straße", True),
        (("cat", "cat", 0.9), "cat fish", False),
        (("7", "seven", 0.9), "7_seven", True),
        (ORANGE, None, None),
        (ORANGE, " _ ", None),
    ],
)
def test_one_rule_matches_truth_and_guess(guess: Guess, truth: str | None, expected: bool | None):
    assert is_correct(table_of(row("a.jpg", guess, truth=truth))).to_pylist() == [expected]


def test_unreadable_images_are_not_judged():
    table = table_of(failed("a.jpg", "empty", truth="orange"))
    assert is_correct(table).to_pylist() == [None]
    assert in_top(table).to_pylist() == [None]


@pytest.mark.parametrize(("depth", "expected"), [(5, [True, True, False, None]), (1, [True, False, False, None])])
def test_in_top_looks_at_the_first_guesses_only(depth: int, expected: list[bool | None]):
    table = table_of(
        row("a.jpg", ORANGE, PICKUP, truth="orange"),
        row("b.jpg", ORANGE, PICKUP, truth="n03930630_pickup"),
        row("c.jpg", ORANGE, PICKUP, truth="brown bear"),
        row("d.jpg", ORANGE, PICKUP),
    )
    assert in_top(table, depth).to_pylist() == expected


def test_match_names_the_classes():
    table = table_of(
        row("a.jpg", ORANGE, PICKUP, truth="n07747607_orange"),
        row("b.jpg", ORANGE, truth="Pickup"),
        row("c.jpg", BEAR, truth="n01440764_tench"),
        row("d.jpg", BEAR, truth="my cat"),
        failed("e.jpg", "empty", truth="orange"),
        row("f.jpg", BEAR),
    )
    matched = match(table)
    names = [(*matched.names, None)[code] for code in matched.truth]
    assert names == ["orange", "pickup", "tench", "my cat", None, None]
    assert [(*matched.names, None)[code] for code in matched.guess] == [
        *["orange"] * 2,
        *["brown_bear"] * 2,
        None,
        "brown_bear",
    ]
    assert matched.correct.tolist() == [True, False, False, False, False, False]
    assert matched.judged.tolist() == [True, True, True, True, False, False]
    assert matched.unseen.tolist() == [False, False, True, True, False, False]


def test_classes_of_one_label_keep_apart():
    bird, machine = ("n02012849", "crane", 0.9), ("n03126707", "crane", 0.9)
    table = table_of(
        row("a.jpg", bird, truth="crane"),
        row("b.jpg", machine, truth="crane"),
        row("c.jpg", machine, truth="n02012849"),
    )
    matched = match(table)
    assert [matched.names[code] for code in matched.truth] == [
        "crane (n02012849)",
        "crane (n03126707)",
        "crane (n02012849)",
    ]
    assert matched.correct.tolist() == [True, True, False]


def test_match_works_without_class_ids():
    matched = match(
        table_of(row("a.jpg", (None, "cat", 0.9), truth="CAT"), row("b.jpg", (None, "dog", 0.9), truth="cat"))
    )
    assert [matched.names[code] for code in matched.truth] == ["cat", "cat"]
    assert [matched.names[code] for code in matched.guess] == ["cat", "dog"]
    assert matched.correct.tolist() == [True, False]


def test_has_truth():
    assert has_truth(table_of(row("a.jpg", ORANGE), row("b.jpg", ORANGE, truth="x")))
    assert not has_truth(table_of(row("a.jpg", ORANGE)))
    assert not has_truth(table_of())


def test_normalize_joins_spaces_hyphens_and_underscores():
    assert normalize("  Three-toed__SLOTH x") == "three toed sloth x"
