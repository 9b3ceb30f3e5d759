"""Result columns as NumPy arrays, without Python loops over rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Rows = npt.NDArray[np.int64]

BLOCK_ROWS = 250_000  # bounds the memory needed for top lists


@dataclass(frozen=True, slots=True)
class Encoded:
    """Hold a dictionary-encoded text column: `codes` (int32, -1 for null) index into `values`."""

    codes: npt.NDArray[np.int32]
    values: tuple[str, ...]

    def at(self, rows: Rows | None) -> Encoded:
        """Return the codes of these rows only (None: all), with the same `values`."""
        return self if rows is None else Encoded(self.codes[rows], self.values)


@dataclass(frozen=True, slots=True)
class TopBlock:
    """Hold the flattened top lists of consecutive rows; `rows` and `positions` locate each entry."""

    rows: Rows
    positions: npt.NDArray[np.int64]
    class_id: Encoded
    label: Encoded


def encode(column: pa.ChunkedArray | pa.Array) -> Encoded:
    """Return a text column as codes into its distinct values, in order of first appearance."""
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if not pa.types.is_dictionary(chunked.type):
        chunked = chunked.dictionary_encode()
    combined = chunked.unify_dictionaries().combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        combined = pa.concat_arrays(combined.chunks)
    codes = combined.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    return Encoded(codes, tuple(combined.dictionary.to_pylist()))


def floats(table: pa.Table, name: str, rows: Rows | None = None) -> npt.NDArray[np.float32]:
    """Return a number column as float32, NaN for null."""
    values = table[name].cast(pa.float32()).to_numpy()
    return values if rows is None else values[rows]


def is_ok(table: pa.Table, rows: Rows | None = None) -> npt.NDArray[np.bool_]:
    """Return a boolean mask of the rows that have a label."""
    mask = table["label"].is_valid().to_numpy()
    return mask if rows is None else mask[rows]


def top_blocks(table: pa.Table) -> Iterator[TopBlock]:
    """Yield the top lists in blocks of consecutive rows."""
    column = table["top"]
    for start in range(0, len(column), BLOCK_ROWS):
        lists = pa.concat_arrays(column.slice(start, BLOCK_ROWS).chunks)
        lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        entries = lists.flatten()
        first = np.cumsum(lengths) - lengths
        yield TopBlock(
            rows=np.repeat(np.arange(start, start + len(lists)), lengths),
            positions=np.arange(len(entries)) - np.repeat(first, lengths),
            class_id=encode(entries.field("class_id")),
            label=encode(entries.field("label")),
        )


def top_depth(table: pa.Table) -> int:
    """Return the length of the longest top list."""
    return pc.max(pc.list_value_length(table["top"])).as_py() or 0


def count_pairs(
    left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the distinct pairs of codes (left, right, count), most frequent first.

    Codes must not be negative. Ties are ordered by code, so the order is deterministic.
    """
    width = int(right.max()) + 1 if len(right) else 1
    keys, counts = np.unique(left.astype(np.int64) * width + right, return_counts=True)
    order = np.lexsort((keys, -counts))
    return keys[order] // width, keys[order] % width, counts[order]
