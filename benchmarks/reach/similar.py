"""Similar pictures and duplicates among a million made-up embeddings, with planted near duplicates."""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.reach.figure import Figure
from sparkcore.analysis.duplicates import NEAR, find_duplicates
from sparkcore.analysis.similarity import neighbors
from sparkcore.runs.vectors import Vectors, open_arrays, shorten
from sparkcore.schema import light_schema

_LENGTH = 512
_THINGS = 20_000  # that the pictures show
_BLOCK = 50_000
_PLANTED = 2_000
_QUERIES = 20
_NEAREST = 24
_AT_MOST_S, _AT_MOST_MB, _DUPLICATES_S, _FOUND = 0.3, 700.0, 15.0, 0.97


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--count", type=int, default=1_000_000)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the seconds and memory of a search, what it misses, and the seconds and hits of a search for duplicates."""
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as name:
        path, shape = Path(name, "x.embeddings"), (options.count, _LENGTH)
        # Elsewhere, so that the memory of making the rows up is not that of searching them.
        child = multiprocessing.get_context("spawn").Process(target=make_up, args=(path, shape))
        child.start()
        child.join()
        vectors = open_arrays(path, shape)
        yield from _search(vectors, f"{options.count:,} made-up embeddings of {_LENGTH} numbers")
        yield from _duplicates(vectors, f"{options.count:,} made-up images, {_PLANTED:,} planted pairs")


def make_up(path: Path, shape: tuple[int, int]) -> None:
    """Write embeddings of pictures of a number of things; a few of the last ones are near duplicates of the first."""
    rng = np.random.default_rng(0)
    things = rng.exponential(1.0, (_THINGS, shape[1])).astype(np.float32)
    with path.open("wb") as file:
        for start in range(0, shape[0], _BLOCK):
            count = min(_BLOCK, shape[0] - start)
            noise = rng.exponential(1.1, (count, shape[1])).astype(np.float32)
            file.write(_halves(things[rng.integers(0, _THINGS, count)] + noise).data)
    stored = np.memmap(path, np.float16, "r+", shape=shape)
    first = stored[:_PLANTED].astype(np.float32)
    low, high = np.where(_is_cropped()[:, None], (0.25, 0.46), (0.15, 0.57)).T  # cosines of 0.9 to 0.97, 0.86 to 0.99
    spread = rng.uniform(low, high)[:, None].astype(np.float32)
    stored[-_PLANTED:] = _halves(first + spread * rng.standard_normal(first.shape).astype(np.float32) / shape[1] ** 0.5)
    stored.flush()
    shorten(path, shape)


def _is_cropped() -> npt.NDArray[np.bool_]:
    """Tell which of the planted pictures are crops; the others were compressed, resized or made brighter."""
    return np.arange(_PLANTED) % 4 == 0


def _halves(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


def _search(vectors: Vectors, conditions: str) -> Iterator[Figure]:
    rng = np.random.default_rng(1)
    rows = rng.choice(len(vectors.short), _QUERIES, replace=False)
    neighbors(vectors, vectors.embeddings[0], _NEAREST)
    seconds, kept = [], []
    for row in rows:
        started = time.perf_counter()
        found = neighbors(vectors, vectors.embeddings[row], _NEAREST, exclude=int(row))
        seconds.append(time.perf_counter() - started)
        kept.append(found)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    yield Figure("nearest 24", float(np.median(seconds)), "s", conditions, at_most=_AT_MOST_S)
    yield Figure("memory of a search", peak_mb, "MB", conditions, at_most=_AT_MOST_MB)
    shares = [
        len(set(_exact(vectors, int(row))) & set(found.rows.tolist())) / _NEAREST
        for row, found in zip(rows[:3], kept[:3], strict=True)
    ]
    yield Figure("share of the true nearest 24", float(np.mean(shares)), "", conditions)


def _exact(vectors: Vectors, row: int) -> list[int]:
    target, cosines = vectors.embeddings[row].astype(np.float32), np.empty(len(vectors.short), np.float32)
    for start in range(0, len(cosines), _BLOCK):
        cosines[start : start + _BLOCK] = vectors.embeddings[start : start + _BLOCK].astype(np.float32) @ target
    cosines[row] = -1
    return np.argpartition(-cosines, _NEAREST)[:_NEAREST].tolist()


def _duplicates(vectors: Vectors, conditions: str) -> Iterator[Figure]:
    table = _table(len(vectors.short))
    started = time.perf_counter()
    groups = [group for group in find_duplicates(table, vectors) if group.kind == NEAR]
    seconds = time.perf_counter() - started
    last = len(vectors.short) - _PLANTED
    planted = {frozenset((row, last + row)) for row in range(_PLANTED)}
    found = sum(frozenset(group.rows) in planted for group in groups)
    yield Figure("duplicates", seconds, "s", conditions, at_most=_DUPLICATES_S)
    yield Figure("planted pairs found", found / _PLANTED, "", conditions, at_least=_FOUND)
    yield Figure("other groups", float(len(groups) - found), "", conditions)


def _table(count: int) -> pa.Table:
    """Return rows with random hashes; those of the planted ones differ in as many bits as measured on photos."""
    rng = np.random.default_rng(2)
    hashes = rng.integers(-(2**63), 2**63, count, np.int64)
    for row, is_cropped in enumerate(_is_cropped()):
        bits = rng.choice(64, rng.integers(4, 13) if is_cropped else rng.integers(0, 5), replace=False)
        flips = np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64), initial=np.uint64(0))
        hashes[count - _PLANTED + row] = (hashes[row].view(np.uint64) ^ flips).view(np.int64)
    columns = {
        "content_hash": pa.array(np.char.mod("%032d", np.arange(count))),
        "perceptual_hash": pa.array(hashes),
    }
    return pa.table([columns.get(field.name, pa.nulls(count, field.type)) for field in light_schema()], light_schema())
