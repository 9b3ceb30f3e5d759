from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from sparkcore.background import cancelled_on_error, in_background, result_of
from sparkcore.errors import ConfigError, RunCancelledError


def refuse() -> None:
    raise RunCancelledError("enough")


def test_result_and_error_arrive() -> None:
    assert result_of(in_background(lambda _: 7, "work"), refuse) == 7
    with pytest.raises(ConfigError, match="wrong"):
        result_of(in_background(fail, "work"), lambda: None)


def fail(_: Callable[[], None]) -> None:
    raise ConfigError("wrong")


@pytest.mark.parametrize("is_waited_for", [True, False])
def test_whoever_gives_up_goes_on_at_once_and_the_work_hears_of_it(is_waited_for: bool) -> None:
    stuck, heard = threading.Event(), threading.Event()

    def work(check: Callable[[], None]) -> None:
        stuck.wait()
        try:
            check()
        finally:
            heard.set()

    future = in_background(work, "work")
    with pytest.raises(RunCancelledError), cancelled_on_error(future):
        result_of(future, refuse) if is_waited_for else refuse()
    assert not heard.is_set()
    assert future.cancelled()
    stuck.set()
    assert heard.wait(60)
