from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from sparkcore.analysis.filters import Filters, describe
from sparkcore.analysis.metrics import evaluate
from sparkcore.analysis.reviewed import truth_sources, with_reviews
from sparkcore.analysis.selection import select
from sparkcore.analysis.truth import is_correct
from sparkcore.reviews.pictures import picture_keys, pictures_at
from sparkcore.reviews.review import CLASS, NONE, UNSURE, Answer, State
from tests.analysis.tables import failed, row, table_of

CAT, DOG = ("n1", "cat", 0.9), ("n2", "dog", 0.1)
TABLE = table_of(
    row("0.jpg", CAT, DOG, version="7"),
    row("1.jpg", CAT, DOG, version="7", truth="cat"),
    row("2.jpg", CAT, DOG, version="7"),
    row("3.jpg", CAT, DOG, version="7"),
    row("4.jpg", CAT, DOG, version="7"),
    failed("5.jpg", "empty", version="7"),
)
SAID = [
    State(Answer(CLASS, "cat", "n1"), star=True, tags=("near", "far"), note="=1", by="ann", at="2026-01-01"),
    State(Answer(CLASS, "dog", "n2"), by="ann"),
    State(Answer(NONE), by="bob"),
    State(Answer(UNSURE), by="bob"),
]
STATES = {pictures_at(TABLE, [number])[0].keys[0]: state for number, state in enumerate(SAID)}


def test_reviews_are_the_truth_where_there_is_none() -> None:
    table = with_reviews(TABLE, STATES, given="folder")
    assert table["truth"].to_pylist() == ["n1", "cat", "not in any class", None, None, None]
    assert table["truth_source"].to_pylist() == ["reviewed", "folder", "reviewed", None, None, None]
    assert table["review"].to_pylist() == ["cat", "dog", "not in any class", "cannot tell", None, None]
    assert table["tags"].to_pylist() == ["near, far", None, None, None, None, None]
    assert table["star"].to_pylist() == [True, False, False, False, None, None]
    assert table["reviewed_by"].to_pylist() == ["ann", "ann", "bob", "bob", None, None]
    assert truth_sources(table) == {"reviewed": 2, "folder": 1}
    assert evaluate(table).top_1 == pytest.approx(2 / 3)


def test_reviews_first_correct_the_folder() -> None:
    table = with_reviews(TABLE, STATES, reviews_first=True)
    assert table["truth"].to_pylist() == ["n1", "dog", "not in any class", None, None, None]
    assert is_correct(table).to_pylist() == [True, False, False, None, None, None]
    assert truth_sources(table) == {"reviewed": 3}


def test_nothing_said_changes_nothing() -> None:
    assert with_reviews(TABLE, {}) is TABLE
    assert with_reviews(TABLE, {"0@0": SAID[0]}) is TABLE
    assert with_reviews(TABLE, {f"{TABLE['image_id'][0]}@8": SAID[0]}) is TABLE  # the file has changed since


def test_a_model_with_other_ids_is_judged_by_the_words() -> None:
    other = table_of(row("0.jpg", ("7", "Cat", 0.9), version="7"))
    assert is_correct(with_reviews(other, STATES)).to_pylist() == [True]


def with_hashes(table: pa.Table, values: list[str | None]) -> pa.Table:
    return table.drop_columns(["content_hash"]).append_column("content_hash", pa.array(values, pa.string()))


def test_the_same_bytes_are_the_same_picture() -> None:
    values = [hashlib.sha256(bytes([number])).hexdigest() for number in range(TABLE.num_rows)]
    hashed = with_hashes(TABLE, values)
    first = hashed.slice(0, 1).to_pylist()[0]
    assert picture_keys(first)[0] == f"sha256:{values[0]}"
    assert picture_keys(first)[1:] == picture_keys(TABLE.slice(0, 1).to_pylist()[0])
    moved = table_of(row("other.jpg", CAT, DOG, version="9"), row("0.jpg", CAT, DOG, version="8"))
    moved = with_hashes(moved, [values[0], None])
    assert with_reviews(moved, {picture_keys(first)[0]: SAID[0]})["review"].to_pylist() == ["cat", None]
    # What was said before there were hashes holds too.
    assert with_reviews(hashed, STATES)["review"].to_pylist()[:2] == ["cat", "dog"]


def test_filters_on_reviews() -> None:
    table = with_reviews(TABLE, STATES)
    wanted = {
        "reviewed": Filters(review="reviewed"),
        "unreviewed": Filters(review="unreviewed"),
        "starred": Filters(review="starred"),
        "tag": Filters(tags=("far", "none")),
        "part of a tag": Filters(tags=("fa",)),
    }
    assert {name: select(table, filters).tolist() for name, filters in wanted.items()} == {
        "reviewed": [0, 1, 2, 3],
        "unreviewed": [4, 5],
        "starred": [0],
        "tag": [0],
        "part of a tag": [],
    }
    assert [select(TABLE, filters).size for filters in wanted.values()] == [0, 6, 0, 0, 0]
    for filters in wanted.values():
        assert Filters.from_query(filters.to_query()) == filters
        assert describe(filters)
