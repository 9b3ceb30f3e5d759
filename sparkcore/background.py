"""Work in a thread of its own, for which nobody has to wait: whoever is cancelled goes on at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_CHECK_EVERY_S = 0.1


def in_background(work: Callable[[Callable[[], None]], T], name: str) -> Future[T]:
    """Start `work(check)` in a daemon thread; `check` raises CancelledError once the future is cancelled.

    The future of cancelled work is done when the work has ended.
    """
    future: Future[T] = Future()

    def check() -> None:
        if future.cancelled():
            raise CancelledError

    def settle() -> None:
        try:
            result = work(check)
        except BaseException as error:  # noqa: BLE001 (raised again by whoever waits)
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
        else:
            if future.set_running_or_notify_cancel():
                future.set_result(result)

    # A daemon: what does not end must not keep the process alive.
    threading.Thread(target=settle, name=name, daemon=True).start()
    return future


def wait_for(future: Future[T], check: Callable[[], None]) -> None:
    """Wait until a future is done, whatever its end; `check` is called ten times a second, and gives up by raising."""
    while not wait([future], timeout=_CHECK_EVERY_S).done:
        check()


def result_of(future: Future[T], check: Callable[[], None]) -> T:
    """Return the result of a future; where `check` raises, the future is cancelled. Raises what the work raised."""
    with cancelled_on_error(future):
        wait_for(future, check)
    return future.result()


@contextmanager
def cancelled_on_error(future: Future[T]) -> Iterator[Future[T]]:
    """Cancel a future where the block raises."""
    try:
        yield future
    except BaseException:
        future.cancel()
        raise
