"""Progress and cancellation callbacks of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Describe the state of a run: `done` of `total` in `unit`, of which `errors` images were unreadable."""

    phase: str
    done: int = 0
    total: int = 0
    errors: int = 0
    unit: str = "images"


def _ignore(step: Step) -> None:
    del step


def _continue() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Watch:
    """Observe a run: `progress` receives every step; `check` is called often and cancels the run by raising."""

    progress: Callable[[Step], None] = _ignore
    check: Callable[[], None] = _continue
