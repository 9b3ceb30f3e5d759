"""Work in threads, a bounded number of items ahead of whoever uses the results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Generator[Result]:
    """Yield the results in the order of the items; at most `threads` of them are computed or wait to be used.

    An exception of `function` is raised in the place of its result.
    """
    remaining = iter(items)
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        started: deque[Future[Result]] = deque(pool.submit(function, item) for item in islice(remaining, threads))
        try:
            while started:
                result = started.popleft().result()
                started.extend(pool.submit(function, item) for item in islice(remaining, 1))
                yield result
        finally:
            for future in started:
                future.cancel()
