"""Choose a sample while names pass by."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator

from sparkcore.engine.spill import ListedFile


def sampled(files: Iterable[ListedFile], sample: int | None, seed: int) -> Iterator[ListedFile]:
    """Yield at most `sample` distinct files, chosen by `seed` and their origins alone; all where it is None.

    Those of the lowest sha256 of seed and origin are chosen, so that a larger sample contains a smaller one. Only the
    chosen ones are in memory.
    """
    if sample is None:
        yield from files
        return
    chosen: list[tuple[int, ListedFile]] = []  # a heap with the highest key, negated, first
    keys: set[int] = set()
    start = f"{seed}\0".encode()
    for file in files:
        key = -int.from_bytes(hashlib.sha256(start + file.origin.encode()).digest())
        if (len(chosen) == sample and key <= chosen[0][0]) or key in keys:
            continue
        keys.add(key)
        if len(chosen) < sample:
            heapq.heappush(chosen, (key, file))
        else:
            keys.remove(heapq.heappushpop(chosen, (key, file))[0])
    yield from (file for _, file in chosen)
