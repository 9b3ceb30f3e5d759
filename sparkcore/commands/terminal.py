"""Output of the command line: tables, JSON, progress, and the signals that cancel a run."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from sparkcore.errors import RunCancelledError
from sparkcore.progress import Step, Watch

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID
    from rich.table import Table

_REFRESHES_PER_S = 4
_LINE_INTERVAL_S = 10.0
_BAR_MIN_WIDTH = 80  # narrower terminals show the words without bar and times
_FOLDED_MIN_WIDTH = 16
_RESUME = "finished images are kept; run the same command again to resume."
_GAP = 2  # between columns
_UNBOUNDED_WIDTH = 10_000  # rich would wrap the lines of a pipe at 80 characters


@contextmanager
def watching(stream: TextIO, cancelled_says: str = _RESUME) -> Iterator[Watch]:
    """Yield a watch that shows progress on `stream` and raises RunCancelledError after SIGINT or SIGTERM.

    A terminal gets a progress bar, a pipe or file gets a line per phase and one every ten seconds.
    """
    cancelled = threading.Event()

    def check() -> None:
        if cancelled.is_set():
            raise RunCancelledError(cancelled_says)

    with _signals(cancelled):
        if not stream.isatty():
            yield Watch(_Lines(stream).show, check)
            return
        with _bar(stream) as bar:
            yield Watch(bar.show, check)


class _Lines:
    """Progress as plain lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._phase = ""
        self._shown_at = 0.0

    def show(self, step: Step) -> None:
        now = time.monotonic()
        if step.phase == self._phase and now - self._shown_at < _LINE_INTERVAL_S:
            return
        self._phase, self._shown_at = step.phase, now
        print(" ".join([step.phase, _amount(step)]).rstrip(), file=self._stream, flush=True)


class _Bar:
    """Progress as one line that is redrawn in place."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._phase = ""
        self._total = 0
        self._task: TaskID | None = None

    def show(self, step: Step) -> None:
        if self._task is None or (step.phase, step.total) != (self._phase, self._total):
            self._restart(step)
        assert self._task is not None
        self._progress.update(self._task, completed=step.done, amount=_amount(step, self._progress.tasks[-1].speed))

    def _restart(self, step: Step) -> None:
        """Begin a new bar: its speed counts only what is done from now on, not rows that a resumed run had."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._phase, self._total = step.phase, step.total
        self._task = self._progress.add_task(
            step.phase, total=step.total or None, completed=step.done, amount=_amount(step)
        )


@contextmanager
def _bar(stream: TextIO) -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    # Starting Spark sends descriptor 2 into a log file for a while; the bar keeps a descriptor of its own.
    with os.fdopen(os.dup(stream.fileno()), "w", encoding="utf-8") as terminal:
        console = Console(file=terminal)
        columns: list[ProgressColumn] = [
            TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[amount]")
        ]
        if console.width >= _BAR_MIN_WIDTH:
            columns = [
                columns[0],
                BarColumn(bar_width=20),
                columns[1],
                TimeElapsedColumn(),
                TimeRemainingColumn(compact=True),
            ]
        with Progress(
            *columns,
            console=console,
            refresh_per_second=_REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,
        ) as progress:
            yield _Bar(progress)


def _amount(step: Step, speed: float | None = None) -> str:
    """Return the words beside a bar: "12/120 images, 3 errors, 15.3 images/s"; `speed` is in units per second."""
    if not step.total:
        return ""
    if step.unit == "bytes":
        return f"{step.done / 1e6:,.1f}/{step.total / 1e6:,.1f} MB" + (f", {speed / 1e6:,.1f} MB/s" if speed else "")
    errors = f", {step.errors:,} error{'s' * (step.errors > 1)}" if step.errors else ""
    return f"{step.done:,}/{step.total:,} {step.unit}{errors}" + (f", {speed:,.1f} {step.unit}/s" if speed else "")


@contextmanager
def _signals(cancelled: threading.Event) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a flag; a second one has its usual effect."""
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
    """Print rows under their names; print nothing where there are none.

    Numbers are aligned to the right. Where a terminal is too narrow, the widest column is folded; where that is not
    enough, each row is printed as a list of names and values. Lines of a pipe are never folded.
    """
    if not rows:
        return
    from rich.cells import cell_len
    from rich.console import Console

    texts = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(names, *texts, strict=True)]
    console = Console(width=None if sys.stdout.isatty() else _UNBOUNDED_WIDTH, highlight=False, markup=False)
    with console.capture() as captured:
        if console.width - (sum(widths) + _GAP * (len(widths) - 1) - max(widths)) >= min(
            max(widths), _FOLDED_MIN_WIDTH
        ):
            numeric = [all(isinstance(value, int | float) for value in column) for column in zip(*rows, strict=True)]
            console.print(_table(names, texts, numeric, folded=widths.index(max(widths))))
        else:
            for row in texts:
                console.print(*(f"{name}: {text}" for name, text in zip(names, row, strict=True)), "", sep="\n")
    # Not printed by rich, which ends the process where the reader of a pipe has closed it.
    print("", *(line.rstrip() for line in captured.get().splitlines()), sep="\n")


def _table(names: Sequence[str], texts: Sequence[Sequence[str]], numeric: Sequence[bool], folded: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for index, (name, is_number) in enumerate(zip(names, numeric, strict=True)):
        table.add_column(Text(name), justify="right" if is_number else "left", overflow="fold", no_wrap=index != folded)
    for row in texts:
        table.add_row(*map(Text, row))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, int):
        return f"{value:,}"
    # A file name may hold escape sequences that would reach the terminal.
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value))
