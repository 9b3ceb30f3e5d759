from __future__ import annotations

import pyarrow as pa
import pytest

from sparkcore.analysis.columns import Encoded, encode
from sparkcore.analysis.truth import has_truth, in_top, is_correct, match
from sparkcore.classes import ClassName, imagenet_classes
from sparkcore.runs.class_names import with_class_names
from sparkcore.schema import result_schema
from tests.analysis.tables import Prediction, failed, row, table_of

ORANGE = ("n07747607", "orange", 0.9)
PICKUP = ("n03930630", "pickup", 0.05)
BEAR = ("n02132136", "brown_bear", 0.9)


@pytest.mark.parametrize(
    ("predicted", "truth", "expected"),
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
def test_one_rule_matches_true_label_and_prediction(predicted: Prediction, truth: str | None, expected: bool | None):
    assert is_correct(table_of(row("a.jpg", predicted, truth=truth))).to_pylist() == [expected]


def test_unreadable_images_are_not_judged():
    table = table_of(failed("a.jpg", "empty", truth="orange"))
    assert is_correct(table).to_pylist() == [None]
    assert in_top(table).to_pylist() == [None]


@pytest.mark.parametrize(("depth", "expected"), [(5, [True, True, False, None]), (1, [True, False, False, None])])
def test_in_top_looks_at_the_first_predictions_only(depth: int, expected: list[bool | None]):
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
    assert [(*matched.names, None)[code] for code in matched.prediction] == [
        *["orange"] * 2,
        *["brown_bear"] * 2,
        None,
        "brown_bear",
    ]
    assert matched.correct.tolist() == [True, False, False, False, False, False]
    assert matched.judged.tolist() == [True, True, True, True, False, False]
    assert matched.unknown.tolist() == [False, False, True, True, False, False]


def test_classes_of_one_label_keep_apart():
    bird, machine = ("n02012849", "crane", 0.9), ("n03126707", "crane", 0.9)
    table = table_of(
        row("a.jpg", bird, truth="crane"),
        row("b.jpg", machine, truth="crane"),
        row("c.jpg", machine, truth="n02012849"),
    )
    matched = match(table)
    assert [matched.names[code] for code in matched.truth] == [
        "crane (bird)",
        "crane (machine)",
        "crane (bird)",
    ]
    assert matched.correct.tolist() == [True, True, False]


def test_match_works_without_class_ids():
    matched = match(
        table_of(row("a.jpg", (None, "cat", 0.9), truth="CAT"), row("b.jpg", (None, "dog", 0.9), truth="cat"))
    )
    assert [matched.names[code] for code in matched.truth] == ["cat", "cat"]
    assert [matched.names[code] for code in matched.prediction] == ["cat", "dog"]
    assert matched.correct.tolist() == [True, False]


class CountedName(str):
    """A text that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        CountedName.comparisons += 1
        return str.__eq__(self, other)


def test_naming_unknown_true_labels_takes_linear_work(monkeypatch: pytest.MonkeyPatch):
    def counted(column: pa.ChunkedArray) -> Encoded:
        found = encode(column)
        return Encoded(found.codes, tuple(map(CountedName, found.values)))

    monkeypatch.setattr("sparkcore.analysis.truth.encode", counted)
    # The first half become names as they are; each of the others is then looked up among them without its leading id.
    truths = [f"holiday {n}" for n in range(2_000)] + [f"2024-05-01 beach {n}" for n in range(2_000)]
    table = pa.table({"truth": truths, "class_id": ["n1"] * 4_000, "label": ["orange"] * 4_000})
    empty_top = pa.array([[]] * 4_000, result_schema().field("top").type)
    CountedName.comparisons = 0
    matched = match(table.append_column("top", empty_top))
    assert matched.names[:2] == ("orange", "holiday 0")
    assert matched.names[-1] == "05-01 beach 1999"
    assert len(matched.names) == 4_001
    assert matched.truth.tolist() == list(range(1, 4_001))
    assert CountedName.comparisons < 10_000  # scanning the names takes 2,000 comparisons for each of 2,000


def test_has_truth():
    assert has_truth(table_of(row("a.jpg", ORANGE), row("b.jpg", ORANGE, truth="x")))
    assert not has_truth(table_of(row("a.jpg", ORANGE)))
    assert not has_truth(table_of())


def test_all_classes_of_the_model_are_named():
    table = with_class_names(table_of(row("a.jpg", BEAR, truth="n01534433")), imagenet_classes())
    matched = match(table)  # a junco that nothing was taken for
    assert matched.names[matched.truth[0]] == "junco"
    assert matched.class_ids[matched.truth[0]] == "n01534433"
    assert (matched.is_complete, len(matched.names), matched.unknown.tolist()) == (True, 1000, [False])


def test_true_labels_beyond_the_model_are_named_after_imagenet():
    classes = (ClassName("n02132136", "brown_bear"), ClassName("n02012849", "crane"))
    truths = ("n02457408", "n02457408_three-toed sloth", "N03126707", "=my cat", "brown bear", "crane")
    table = with_class_names(table_of(*(row(f"{t}.jpg", BEAR, truth=t) for t in truths)), classes)
    matched = match(table)
    assert [(matched.names[code], matched.class_ids[code]) for code in matched.truth] == [
        ("three-toed_sloth", "n02457408"),
        ("three-toed_sloth", "n02457408"),
        ("crane (machine)", "n03126707"),
        ("=my cat", ""),
        ("brown_bear", "n02132136"),
        ("crane", "n02012849"),
    ]
    assert matched.unknown.tolist() == [True, True, True, True, False, False]
    assert matched.is_complete


def test_a_name_of_imagenet_that_a_class_of_the_model_has_gets_its_id():
    table = with_class_names(table_of(row("a.jpg", ("7", "junco", 0.9), truth="n01534433")), (ClassName("7", "junco"),))
    matched = match(table)
    assert matched.names == ("junco", "junco · n01534433")
    assert matched.truth.tolist() == [1]


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        ("crane", [True, True]),
        ("crane (bird)", [True, False]),
        ("crane_(machine)", [False, True]),
        ("n02012849", [True, False]),
        ("n03126707_crane", [False, True]),
    ],
)
def test_labels_that_are_told_apart_are_matched_by_label_name_and_id(truth: str, expected: list[bool]):
    bird, machine = ("n02012849", "crane", 0.9), ("n03126707", "crane", 0.9)
    table = with_class_names(table_of(row("a", bird, truth=truth), row("b", machine, truth=truth)), imagenet_classes())
    assert is_correct(table).to_pylist() == in_top(table).to_pylist() == match(table).correct.tolist() == expected
    without_classes = table.replace_schema_metadata(None)  # as in an old run of a small model
    assert is_correct(without_classes).to_pylist() == match(without_classes).correct.tolist() == expected


def test_unreadable_images_state_their_true_class_too():
    matched = match(
        table_of(failed("a.jpg", "empty", truth="n07747607"), row("b.jpg", ORANGE), row("c", BEAR, truth=" _"))
    )
    assert [(*matched.names, None)[code] for code in matched.stated] == ["orange", None, None]
    assert matched.truth.tolist() == [-1, -1, -1]
