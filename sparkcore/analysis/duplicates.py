"""Groups of equal and of nearly equal pictures.

Equal files have one content hash. Near duplicates are found among neighbors in several orders: by bands of the
perceptual hash, and by the signs of short vectors along random directions (Charikar 2002, "Similarity Estimation
Techniques from Rounding Algorithms"). Each pair is then compared by hash and embedding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.columns import Rows, encode, floats
from sparkcore.runs.vectors import Vectors

EXACT, NEAR = "exact", "near"

Hashes = npt.NDArray[np.uint64]
Pairs = npt.NDArray[np.int64]

_BAND_BITS = 16
_ORDERS = 20  # by short vectors
_SIGNS = 32
_WINDOW = 8  # rows behind each one that are compared
_SEED = 20
_BLOCK_ROWS = 65_536
_BLOCK_PAIRS = 16_384


@dataclass(frozen=True, slots=True)
class Closeness:
    """Say when two pictures are near duplicates.

    Their hashes differ in at most `bits` and the cosine of their embeddings is at least `similarity`, or in at most
    `few_bits` and the cosine is at least `few_similarity`: a picture of half the size looks different to a model, but
    not to the hash. Without embeddings, at most `few_bits` may differ.
    """

    bits: int = 22
    similarity: float = 0.85
    few_bits: int = 6
    few_similarity: float = 0.6


@dataclass(frozen=True, slots=True)
class Group:
    """Hold the rows of pictures that are the same; the first is the best: most pixels, then sharpest."""

    kind: str
    rows: tuple[int, ...]


def find_duplicates(
    table: pa.Table, vectors: Vectors | None = None, closeness: Closeness | None = None, rows: Rows | None = None
) -> list[Group]:
    """Return all groups, the largest first; exact ones precede near ones of the same size.

    A near group also has the exact copies of its pictures. `rows` are those to look at (None: all).
    """
    rows = np.arange(table.num_rows) if rows is None else rows
    contents = encode(table["content_hash"]).codes[rows]
    exact = list(_equal(contents, rows))
    near = _connected(np.concatenate([_near_pairs(table, vectors, closeness or Closeness(), rows), _chains(exact)]))
    exact_sets = {frozenset(group) for group in exact}
    ranks = _ranks(table)
    groups = [Group(EXACT, _best_first(group, ranks)) for group in exact]
    groups += [Group(NEAR, _best_first(group, ranks)) for group in near if frozenset(group) not in exact_sets]
    return sorted(groups, key=lambda group: (-len(group.rows), group.kind, group.rows))


def _equal(codes: npt.NDArray[np.int32], rows: Rows) -> Iterator[list[int]]:
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    borders = np.flatnonzero(np.diff(ordered, prepend=-2, append=-2))
    for start, end in pairwise(borders):
        if end - start > 1 and ordered[start] >= 0:
            yield rows[order[start:end]].tolist()


def _chains(groups: Iterable[list[int]]) -> Pairs:
    return np.array([pair for group in groups for pair in pairwise(group)], np.int64).reshape(-1, 2)


def _near_pairs(table: pa.Table, vectors: Vectors | None, closeness: Closeness, rows: Rows) -> Pairs:
    column = table["perceptual_hash"]
    rows = rows[column.is_valid().to_numpy()[rows]]
    hashes = column.fill_null(0).to_numpy()[rows].view(np.uint64)
    most = closeness.few_bits if vectors is None else closeness.bits
    found = [np.empty((0, 2), np.int64)]
    for order in _orders(hashes, vectors, rows):
        ordered = hashes[order]
        for step in range(1, min(_WINDOW, len(order) - 1) + 1):
            bits = np.bitwise_count(ordered[step:] ^ ordered[:-step])
            places = np.flatnonzero(bits <= most)
            found.append(np.sort(np.stack([order[places], order[places + step]], axis=1), axis=1))
    pairs = np.unique(np.concatenate(found), axis=0)
    is_close = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]) <= closeness.few_bits
    pairs = rows[pairs]
    if vectors is None:
        return pairs
    least = np.where(is_close, closeness.few_similarity, closeness.similarity)
    return pairs[_similarities(vectors, pairs) >= least]


def _orders(hashes: Hashes, vectors: Vectors | None, rows: Rows) -> Iterator[Rows]:
    """Yield orders in which near duplicates are often neighbors."""
    for band in range(0, 64, _BAND_BITS):
        turned = (hashes << np.uint64(band)) | (hashes >> np.uint64((64 - band) % 64)) if band else hashes
        yield np.argsort(turned, kind="stable")
    if vectors is not None:
        keys = _sign_keys(vectors, rows)
        yield from (np.argsort(key, kind="stable") for key in keys.T)


def _sign_keys(vectors: Vectors, rows: Rows) -> npt.NDArray[np.uint32]:
    """Return the signs of each vector along random directions, uint32 [n, orders]."""
    width = vectors.short.shape[1]
    directions = np.random.default_rng(_SEED).standard_normal((width, _ORDERS * _SIGNS)).astype(np.float32)
    keys = np.empty((len(rows), _ORDERS), np.uint32)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = vectors.short[rows[start : start + _BLOCK_ROWS]].astype(np.float32)
        bits = np.packbits(block @ directions > 0, axis=1)
        keys[start : start + len(block)] = bits.view(">u4")
    return keys


def _similarities(vectors: Vectors, pairs: Pairs) -> npt.NDArray[np.float32]:
    """Return the cosine of each pair, 0 where one has no embedding."""
    found = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), _BLOCK_PAIRS):
        left, right = (vectors.embeddings[side].astype(np.float32) for side in pairs[start : start + _BLOCK_PAIRS].T)
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        found[start : start + len(left)] = np.einsum("ij,ij->i", left, right) / np.maximum(lengths, 1e-6)
    return found


def _connected(pairs: Pairs) -> list[list[int]]:
    """Return the groups that pairs connect."""
    parents: dict[int, int] = {}

    def root(row: int) -> int:
        while (parent := parents.setdefault(row, row)) != row:
            parents[row] = row = parents.setdefault(parent, parent)
        return row

    for left, right in pairs.tolist():
        parents[root(right)] = root(left)
    groups = defaultdict(list)
    for row in sorted(parents):
        groups[root(row)].append(row)
    return list(groups.values())


def _ranks(table: pa.Table) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    sides = (floats(table, name).astype(np.float64) for name in ("height", "width"))
    pixels = np.nan_to_num(np.prod(list(sides), axis=0))
    return pixels, np.nan_to_num(floats(table, "sharpness"))


def _best_first(group: list[int], ranks: tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]) -> tuple[int, ...]:
    pixels, sharpness = ranks
    return tuple(sorted(group, key=lambda row: (-pixels[row], -sharpness[row], row)))
