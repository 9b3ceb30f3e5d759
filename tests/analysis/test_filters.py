from __future__ import annotations

import pytest

from sparkcore.analysis.filters import FILTER_KEYS, Area, Filters, describe

EVERYTHING = Filters(
    find="big cat",
    groups=("Animals > Cats",),
    labels=("tabby", "tiger, cat"),
    score=(0.25, 0.75),
    margin=(None, 0.5),
    entropy=(0.0, 1.5),
    status="ok",
    errors=("empty", "truncated"),
    name="=ünï & #.jpg",
    width=(100.0, None),
    height=(1.0, 123456.0),
    correct="incorrect",
    pair=("orange", "lemon"),
    top_two=("tabby", "tiger_cat"),
    image_ids=("0123456789abcdef",),
    review="unreviewed",
    tags=("dark",),
    area=Area(0.1, 0.25, 0.3333, 1.0),
)


def test_query_holds_every_field():
    assert EVERYTHING.to_query() == {
        "find": ["big cat"],
        "group": ["Animals > Cats"],
        "label": ["tabby", "tiger, cat"],
        "score": ["0.25", "0.75"],
        "margin": ["", "0.5"],
        "entropy": ["0", "1.5"],
        "status": ["ok"],
        "error": ["empty", "truncated"],
        "name": ["=ünï & #.jpg"],
        "width": ["100", ""],
        "height": ["1", "123456"],
        "correct": ["incorrect"],
        "pair": ["orange", "lemon"],
        "top_two": ["tabby", "tiger_cat"],
        "id": ["0123456789abcdef"],
        "review": ["unreviewed"],
        "tag": ["dark"],
        "area": ["0.1", "0.25", "0.3333", "1"],
    }


def test_the_query_keys_are_those_of_every_field():
    assert sorted(FILTER_KEYS) == sorted(EVERYTHING.to_query())


def test_query_comes_back_as_the_same_filters():
    assert Filters.from_query(EVERYTHING.to_query()) == EVERYTHING
    assert Filters.from_query(Filters().to_query()) == Filters()


def test_a_single_text_counts_as_a_list_of_one():
    assert Filters.from_query({"label": "tabby", "correct": "correct"}) == Filters(labels=("tabby",), correct="correct")


@pytest.mark.parametrize(
    "query",
    [
        {"score": ["0.5"]},
        {"score": ["0.9", "0.1"]},
        {"score": ["nan", "1"]},
        {"score": ["0", "inf"]},
        {"score": ["a", "b"]},
        {"score": ["", ""]},
        {"score": []},
        {"status": ["excluded"]},
        {"status": ["ok", "error"]},
        {"error": ["no_such_error", ""]},
        {"name": ["a", "b"]},
        {"correct": ["maybe"]},
        {"pair": ["orange"]},
        {"top_two": ["", "cat"]},
        {"id": ["../../etc/passwd", "0123456789ABCDEF", "0123456789abcdef0"]},
        {"label": [""]},
        {"area": ["0.3", "0", "0.1", "1"]},
        {"area": ["0", "0", "nan", "1"]},
        {"area": ["-1", "0", "1"]},
        {"page": ["4"], "run": "x"},
    ],
)
def test_impossible_values_count_as_nothing(query: dict[str, str | list[str]]):
    assert Filters.from_query(query) == Filters()


def test_descriptions_are_for_people():
    assert describe(EVERYTHING) == [
        ("find", "label or group like “big cat”"),
        ("groups", "Cats"),
        ("labels", "label tabby, tiger, cat"),
        ("score", "score 25 % to 75 %"),
        ("margin", "margin up to 0.5"),
        ("entropy", "entropy 0 to 1.5"),
        ("status", "readable"),
        ("errors", "problem empty, truncated"),
        ("name", "file name contains “=ünï & #.jpg”"),
        ("width", "width from 100"),
        ("height", "height 1 to 123,456"),
        ("correct", "prediction incorrect"),
        ("pair", "true label orange, prediction lemon"),
        ("top_two", "first prediction tabby, second tiger cat"),
        ("image_ids", "1 selected image"),
        ("review", "not reviewed"),
        ("tags", "tag dark"),
        ("area", "part of the map"),
    ]
    assert describe(Filters(labels=tuple("abcde"), status="error", image_ids=("0" * 16, "1" * 16))) == [
        ("labels", "label a, b, c or 2 more"),
        ("status", "unreadable"),
        ("image_ids", "2 selected images"),
    ]
    assert describe(Filters()) == []


def test_without_empties_one_field():
    assert Filters(labels=("a",), name="b").without("labels") == Filters(name="b")
