from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sparkcore.storage.ahead import map_ahead


def test_results_keep_the_order_of_the_items() -> None:
    first = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert first.wait(30)  # the first item ends last
        elif number == 3:
            first.set()
        return 10 * number

    assert list(map_ahead(work, range(9), threads=4)) == [10 * number for number in range(9)]


def test_no_more_items_are_taken_than_may_wait() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_ahead(str, items(), threads=3)
    assert next(results) == "0"
    assert len(taken) == 4
    results.close()


def test_an_exception_is_raised_in_its_place() -> None:
    def work(number: int) -> int:
        return 1 // number

    results = map_ahead(work, [1, 0, 1], threads=2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []
