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


def _accept(images: int) -> None:
    del images


def _keep_going() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Watch:
    """Observe a run: `progress` receives every step; `check` is called often and cancels the run by raising.

    `listed` receives the number of images before anything is computed, and refuses the run by raising. While
    `must_pause` is true, the run leaves the cores to others.
    """

    progress: Callable[[Step], None] = _ignore
    check: Callable[[], None] = _continue
    listed: Callable[[int], None] = _accept
    must_pause: Callable[[], bool] = _keep_going
