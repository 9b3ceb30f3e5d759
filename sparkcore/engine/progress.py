"""How a run tells where it is, and how it hears that it shall stop: plain callables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Say what a run is doing; `done` and `total` count images, `errors` the unreadable ones among `done`."""

    phase: str
    done: int = 0
    total: int = 0
    errors: int = 0


def _show_nothing(step: Step) -> None:
    del step


def _never_stop() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Watch:
    """How a run is watched: `progress` hears of every step, `check` is called often and may raise to stop the run."""

    progress: Callable[[Step], None] = _show_nothing
    check: Callable[[], None] = _never_stop
