"""Two standalone workers of one core, against one."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks import pictures
from benchmarks.reach.contest import Work, alternate, contender
from benchmarks.reach.figure import Figure
from tests.cluster.servers import standalone

_AT_LEAST = 1.8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--photos", type=Path, help="a folder (default: variants of the samples)")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="resnet50", help="with random weights")


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the ratio of images/s, the median over alternating rounds of whole warm jobs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sparkcore-reach-")))
        sources = pictures.source_pictures(options.photos, folder / "sources", 300)
        images = pictures.repeated(sources, folder / "images", options.count)
        work = Work(images, options.count, options.model, "random")
        masters = [stack.enter_context(standalone(folder / f"cluster-{n}", workers=n)) for n in (1, 2)]
        contenders = [stack.enter_context(contender(work, master=master)) for master in masters]
        seconds = alternate(contenders, options.rounds)
    one, two = (options.count / statistics.median(spent) for spent in seconds)
    yield Figure(
        "two one-core workers against one", statistics.median(a / b for a, b in zip(*seconds, strict=True)), "times",
        f"{two:.1f} and {one:.1f} images/s, standalone, {options.model}, {options.count} photos on the local disk, "
        f"{options.rounds} alternating rounds; driver and workers on the same cores",
        at_least=_AT_LEAST,
    )  # fmt: skip
