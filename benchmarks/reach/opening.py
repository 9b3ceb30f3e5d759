"""A large run on an object store, as the dashboard opens it."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import run_json
from benchmarks.reach.figure import Figure
from benchmarks.reach.object_store import object_store
from benchmarks.synthetic import write_synthetic_run
from sparkcore.runs.store import RunStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--thumbnail-side", type=int, default=48, help="pixels")


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the seconds of the first opening, a later one, a filter, and a page of thumbnails."""
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as name, object_store(Path(name)) as (_, bucket):
        folder = Path(name)
        uri, state = f"{bucket}/runs-store", str(folder / "state")
        run = write_synthetic_run(RunStore(uri, folder / "writer"), options.rows, options.thumbnail_side)
        first, later = (run_json("benchmarks.reach.opened_run", uri, state, run)[0] for _ in range(2))
    where = f"{options.rows:,} rows on the S3 server"
    yield Figure("first opening", first["open_s"], "s", f"{where}, empty state folder", at_most=15)
    yield Figure("later opening", later["open_s"], "s", f"{where}, a new process", at_most=2)
    filters = ", ".join(f"{name} {spent_s:.3f}" for name, spent_s in later["filter_s"].items())
    yield Figure("filter", max(later["filter_s"].values()), "s", f"{where}, the slowest of {filters}", at_most=0.5)
    yield Figure(
        "page of 60 thumbnails", later["page_s"], "s",
        f"{where}, rows scattered over the run, median; {later['first_page_s']:.3f} for the first page of a process",
        at_most=0.5,
    )  # fmt: skip
