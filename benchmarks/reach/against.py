"""The whole warm job of this source tree, against that of another one."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks import pictures
from benchmarks.reach.contest import Work, alternate, contender
from benchmarks.reach.figure import Figure
from sparkcore.engine import preflight
from sparkcore.storage.opening import open_storage
from tests.cluster.servers import standalone
from tests.models.fixture_model import copy_fixture_model

_CASES = ("quick", "small", "resnet50", "standalone", "preflight")
_QUICK_IMAGES = 75
_PREFLIGHTS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("tree", type=Path, help="the source tree of another version")
    parser.add_argument("--cases", nargs="+", choices=_CASES, default=_CASES)
    parser.add_argument("--photos", type=Path, help="a folder (default: variants of the samples)")
    parser.add_argument("--count", type=int, default=300, help="images of the small model, locally and standalone")
    parser.add_argument("--resnet50-count", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=9, help="of the small model")
    parser.add_argument("--resnet50-rounds", type=int, default=3)
    parser.add_argument("--standalone-there", action="store_true", help="the other tree runs on a standalone master")


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the ratios of the medians, and what only this tree can do."""
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as name:
        folder, tree = Path(name), options.tree.resolve()
        sources = pictures.source_pictures(options.photos, folder / "sources", 300)
        model = str(copy_fixture_model(folder))

        def work(count: int, name: str = model, weights: str | None = None) -> Work:
            images = folder / f"images-{count}"
            return Work(images if images.exists() else pictures.repeated(sources, images, count), count, name, weights)

        if "quick" in options.cases:
            yield _quick(work(_QUICK_IMAGES), tree, options.rounds)
        if "small" in options.cases:
            yield _speed("small model, local", work(options.count), tree, options.rounds)
        if "resnet50" in options.cases:
            resnet50 = work(options.resnet50_count, "resnet50", "random")
            yield _speed("ResNet50, local", resnet50, tree, options.resnet50_rounds)
        if "standalone" in options.cases:
            yield _standalone(work(options.count), tree if options.standalone_there else None, options.rounds, folder)
        if "preflight" in options.cases:
            yield _preflight(folder)


def _quick(work: Work, tree: Path, rounds: int) -> Figure:
    here, there = _seconds(work, tree, rounds)
    return Figure(
        "quick job, small model, local: time against the other tree", here / there, "times",
        _conditions(work, here, there, rounds), at_most=1.05,
    )  # fmt: skip


def _speed(name: str, work: Work, tree: Path, rounds: int) -> Figure:
    here, there = _seconds(work, tree, rounds)
    conditions = _conditions(work, here, there, rounds)
    return Figure(f"{name}: speed against the other tree", there / here, "times", conditions, at_least=1.0)


def _standalone(work: Work, tree: Path | None, rounds: int, folder: Path) -> Figure:
    """Measure on standalone masters with two workers; `tree` is None where the other one cannot run there."""
    if tree is None:
        with standalone(folder / "cluster") as master, contender(work, master=master) as here:
            (seconds,) = alternate([here], rounds)
        median_s = statistics.median(seconds)
        conditions = f"{median_s:.2f} s for {work.count} photos, {rounds} rounds; the other tree was not run there"
        return Figure("small model, standalone", work.count / median_s, "images/s", conditions)
    with ExitStack() as stack:
        masters = [stack.enter_context(standalone(folder / f"cluster-{number}")) for number in range(2)]
        here, there = _seconds(work, tree, rounds, masters)
    conditions = _conditions(work, here, there, rounds)
    return Figure("small model, standalone: speed against the other tree", there / here, "times", conditions, None, 1.4)


def _seconds(
    work: Work, tree: Path, rounds: int, masters: list[str] | tuple[None, None] = (None, None)
) -> tuple[float, float]:
    """Return the median seconds of this tree and of the other."""
    with contender(work, master=masters[0]) as here, contender(work, tree, masters[1]) as there:
        medians = [statistics.median(seconds) for seconds in alternate([here, there], rounds)]
    return medians[0], medians[1]


def _conditions(work: Work, here_s: float, there_s: float, rounds: int) -> str:
    return f"{here_s:.3f} s here, {there_s:.3f} s there, {work.count} photos, {rounds} alternating rounds"


def _preflight(folder: Path) -> Figure:
    """Measure what a local job examines before its first image, in a store that nobody has examined."""
    spent_ms = []
    for number in range(_PREFLIGHTS):
        started = time.perf_counter()
        preflight.check_store(open_storage(str(folder / f"preflight-{number}")))
        spent_ms.append(1000 * (time.perf_counter() - started))
    return Figure("preflight of a local job", statistics.median(spent_ms), "ms", f"{_PREFLIGHTS} stores", at_most=50)
