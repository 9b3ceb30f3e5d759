from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sparkcore.analysis.columns import count_pairs, encode, floats, is_ok, top_blocks, top_depth
from tests.analysis.tables import failed, row, table_of

TABLE = table_of(
    row("a.jpg", ("n1", "cat", 0.5), ("n2", "dog", 0.25)), failed("b.jpg", "empty"), row("c.jpg", ("n2", "dog", 1.0))
)


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_encode_gives_codes_over_all_chunks(as_dictionary: bool):
    column = pa.chunked_array([["a", None], ["b", "a"], []], pa.string())
    encoded = encode(column.dictionary_encode() if as_dictionary else column)
    assert (encoded.codes.tolist(), encoded.values) == ([0, -1, 1, 0], ("a", "b"))
    assert encoded.at(np.array([2, 1])).codes.tolist() == [1, -1]


def test_encode_of_nothing_is_nothing():
    encoded = encode(pa.chunked_array([], pa.string()))
    assert (encoded.codes.tolist(), encoded.values) == ([], ())


def test_floats_have_nan_for_null():
    np.testing.assert_array_equal(floats(TABLE, "score"), np.array([0.5, np.nan, 1.0], np.float32))
    np.testing.assert_array_equal(floats(TABLE, "score", np.array([2])), np.array([1.0], np.float32))


def test_is_ok_leaves_out_errors():
    assert is_ok(TABLE).tolist() == [True, False, True]


@pytest.mark.parametrize("block_rows", [1, 2, 100])
def test_top_blocks_say_where_each_entry_stood(monkeypatch: pytest.MonkeyPatch, block_rows: int):
    monkeypatch.setattr("sparkcore.analysis.columns.BLOCK_ROWS", block_rows)
    # In a slice, the offsets of the lists do not start at 0.
    found = [
        (int(r), int(p), block.class_id.values[c], block.label.values[n])
        for block in top_blocks(pa.concat_tables([TABLE, TABLE]).slice(1))
        for r, p, c, n in zip(block.rows, block.positions, block.class_id.codes, block.label.codes, strict=True)
    ]
    assert found == [(1, 0, "n2", "dog"), (2, 0, "n1", "cat"), (2, 1, "n2", "dog"), (4, 0, "n2", "dog")]


def test_top_depth_is_that_of_the_longest_list():
    assert top_depth(TABLE) == 2
    assert top_depth(TABLE.slice(1, 1)) == 0


def test_count_pairs_orders_by_count_then_code():
    left, right = np.array([1, 0, 1, 2], np.int32), np.array([0, 3, 0, 1], np.int32)
    assert [part.tolist() for part in count_pairs(left, right)] == [[1, 0, 2], [0, 3, 1], [2, 1, 1]]
    assert [part.tolist() for part in count_pairs(left[:0], right[:0])] == [[], [], []]
