from __future__ import annotations

import numpy as np
import pytest

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.selection import SORT_KEYS, apply, select, sort
from sparkcore.errors import ConfigError
from sparkcore.schema import image_id
from tests.analysis.tables import failed, row, table_of

CAT, DOG, OWL = ("n1", "cat", 0.7), ("n2", "dog", 0.2), ("n3", "owl", 0.6)
TABLE = table_of(
    row("b.jpg", CAT, DOG, entropy=0.3, width=100, height=50, size_bytes=30, truth="cat"),
    row("a.*.PNG", CAT, OWL, entropy=0.9, width=200, height=50, size_bytes=10, truth="n2_dog"),
    failed("d.jpg", "truncated", size_bytes=20),
    row("Cafe\u0301.jpg", OWL, DOG, entropy=0.6, width=300, height=500, size_bytes=20),
    failed("e.jpg", "empty", size_bytes=0),
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [0, 1, 2, 3, 4]),
        (Filters(labels=("owl", "cat")), [0, 1, 3]),
        (Filters(labels=("nothing",)), []),
        (Filters(score=(0.7, 0.8)), [0, 1]),  # the float32 0.7 is below the double 0.7
        (Filters(score=(None, 0.6)), [3]),  # the float32 0.6 is above the double 0.6
        (Filters(margin=(0.2, None)), [0, 3]),
        (Filters(entropy=(0.3, 0.6)), [0, 3]),
        (Filters(status="error"), [2, 4]),
        (Filters(errors=("empty",)), [4]),
        (Filters(name=".JPG"), [0, 2, 3, 4]),
        (Filters(name=".*"), [1]),
        (Filters(name="CAF\u00c9"), [3]),
        (Filters(width=(150.0, 300.0)), [1, 3]),
        (Filters(width=(150.5, None), height=(None, 50.0)), [1]),
        (Filters(correct="correct"), [0]),
        (Filters(correct="incorrect"), [1]),
        (Filters(pair=("dog", "cat")), [1]),
        (Filters(pair=("cat", "cat")), [0]),
        (Filters(pair=("unknown", "cat")), []),
        (Filters(top_two=("cat", "owl")), [1]),
        (Filters(top_two=("owl", "cat")), []),
        (Filters(image_ids=(image_id("file:/data/e.jpg"), image_id("file:/data/b.jpg"))), [0, 4]),
        (Filters(labels=("cat",), name="a", status="ok", correct="incorrect"), [1]),
    ],
)
def test_select(filters: Filters, expected: list[int]):
    assert select(TABLE, filters).tolist() == expected


def test_select_of_an_empty_table():
    assert select(table_of(), Filters(labels=("cat",), correct="correct", top_two=("a", "b"))).tolist() == []


def test_apply_gives_the_rows_themselves():
    assert apply(TABLE, Filters(status="error")).equals(TABLE.take([2, 4]))
    assert apply(TABLE, Filters()) is TABLE


@pytest.mark.parametrize(
    ("key", "ascending", "descending"),
    [
        ("score", [3, 0, 1, 2, 4], [0, 1, 3, 2, 4]),
        ("margin", [1, 3, 0, 2, 4], [0, 3, 1, 2, 4]),
        ("entropy", [0, 3, 1, 2, 4], [1, 3, 0, 2, 4]),
        ("name", [1, 0, 3, 2, 4], [4, 2, 3, 0, 1]),
        ("size", [4, 1, 2, 3, 0], [0, 2, 3, 1, 4]),
    ],
)
def test_sort_keeps_equal_rows_in_order_and_nulls_last(key: str, ascending: list[int], descending: list[int]):
    rows = np.arange(5)
    assert sort(TABLE, rows, key).tolist() == ascending
    assert sort(TABLE, rows, key, descending=True).tolist() == descending


def test_sort_orders_only_the_rows_given():
    assert [sort(TABLE, np.array([1, 3]), key).tolist() for key in ("score", "name")] == [[3, 1], [1, 3]]


def test_a_shuffle_stays_the_same_under_filters():
    table = table_of(*(row(f"{n}.jpg", CAT) for n in range(100)))
    shuffled = sort(table, np.arange(100), "random", seed=7).tolist()
    assert sorted(shuffled) == list(range(100))
    assert sort(table, np.arange(0, 100, 2), "random", seed=7).tolist() == [n for n in shuffled if n % 2 == 0]
    assert sort(table, np.arange(100), "random", seed=8).tolist() != shuffled


def test_an_unknown_key_is_refused():
    with pytest.raises(ConfigError, match="sort: expected one of " + ", ".join(SORT_KEYS)):
        sort(TABLE, np.arange(5), "color")
