from __future__ import annotations

import csv

import pytest

from sparkcore.classes import ClassName, distinct_names, imagenet_classes, normalize, plain_labels
from tests.conftest import shared


def test_imagenet_has_a_thousand_classes_in_order():
    classes = imagenet_classes()
    assert len(classes) == len({name.class_id for name in classes}) == 1000
    assert classes[0] == ClassName("n01440764", "tench")
    assert classes[999] == ClassName("n15075141", "toilet_tissue")
    # Two pairs of classes share a label and differ in their ids.
    assert [name.class_id for name in classes if name.label == "crane"] == ["n02012849", "n03126707"]
    assert [name.class_id for name in classes if name.label == "maillot"] == ["n03710637", "n03710721"]


def test_imagenet_classes_are_those_of_keras():
    with shared("data/imagenet_classes.csv").open(newline="") as file:
        expected = tuple(ClassName(row["class_id"], row["label"]) for row in csv.DictReader(file))
    assert imagenet_classes() == expected


def test_imagenets_equal_labels_are_told_apart_in_words():
    classes = imagenet_classes()
    names = dict(zip(distinct_names(classes), classes, strict=True))
    assert {name: one for name, one in names.items() if name != one.label} == {
        "crane (bird)": ("n02012849", "crane"),
        "crane (machine)": ("n03126707", "crane"),
        "Cardigan (dog)": ("n02113186", "Cardigan"),
        "cardigan (garment)": ("n02963159", "cardigan"),
        "maillot (tights)": ("n03710637", "maillot"),
        "maillot (tank suit)": ("n03710721", "maillot"),
    }
    assert len({normalize(name) for name in names}) == 1000
    assert plain_labels(classes)["maillot (tights)"] == "maillot"


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((("n02012849", "crane"), ("n01440764", "tench")), ("crane", "tench")),
        ((("1", "red_fox"), ("2", "Red fox"), ("3", "wolf")), ("red_fox · 1", "Red fox · 2", "wolf")),
        ((("Cat", "Cat"), ("cat", "cat")), ("Cat", "cat")),
        ((("", "cat"), ("n1", "cat")), ("cat", "cat")),
        (
            (("n02012849", "crane"), ("7", "crane"), ("8", "crane (bird)")),
            ("crane · n02012849", "crane · 7", "crane (bird) · 8"),
        ),
        ((), ()),
    ],
)
def test_a_label_that_repeats_gets_its_class_id_as_a_last_resort(
    classes: tuple[tuple[str, str], ...], expected: tuple[str, ...]
):
    assert distinct_names(tuple(ClassName(*one) for one in classes)) == expected


def test_normalize_joins_spaces_hyphens_and_underscores():
    assert normalize("  Three-toed__SLOTH x") == "three toed sloth x"
