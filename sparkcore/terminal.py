"""What the shell shows: tables, JSON, a progress bar, and signals that mean cancel."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from tqdm import tqdm

from sparkcore.errors import RunCancelledError
from sparkcore.progress import Step, Watch

_NO_COUNT = "{desc} ({elapsed})"  # before the number of images is known


@contextmanager
def watching(stream: TextIO) -> Iterator[Watch]:
    """Give a watch that draws progress on `stream` and raises RunCancelledError after SIGINT or SIGTERM."""
    cancelled = threading.Event()
    options = {"unit": "image", "file": stream, "dynamic_ncols": True, "leave": False, "mininterval": 0.5}
    with _signals(cancelled), tqdm(total=0, bar_format=_NO_COUNT, **options) as bar:

        def progress(step: Step) -> None:
            bar.set_description_str(step.phase, refresh=False)
            if step.phase == "classifying" and bar.total != step.total:
                # Speed and ETA are those of what is computed now, not of rows that were there.
                bar.bar_format = None
                bar.reset(step.total)
                bar.initial = bar.n = step.done
            if bar.total:
                bar.set_postfix(errors=step.errors, refresh=False)
                bar.n = step.done
            bar.refresh()

        def check() -> None:
            if cancelled.is_set():
                raise RunCancelledError("finished parts are kept; the same command goes on from there.")

        yield Watch(progress, check)


@contextmanager
def _signals(cancelled: threading.Event) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a flag; a second one acts as ever."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: object) -> None:
        del frame
        cancelled.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def print_json(value: Any) -> None:
    """Print one JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False))


def print_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under their names; nothing where there are none."""
    if not rows:
        return
    cells = [tuple(map(str, names)), *(tuple(_text(value) for value in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print()
    for row in cells:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
