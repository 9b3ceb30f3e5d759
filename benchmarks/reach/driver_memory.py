"""Memory of the driver for a long listing: names through the spill, into listing files and a plan."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.made_up import made_up_listing
from benchmarks.reach.driver import driver_pids, peak_memory_mb
from benchmarks.reach.figure import Figure
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.bucketing import bucket_size, shares
from sparkcore.engine.planning import make_plan
from sparkcore.engine.request import Request
from sparkcore.engine.session import start_session
from sparkcore.engine.spark_jobs import worker_slots
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import choose_runtime
from sparkcore.runs.plan import create_plan
from sparkcore.runs.receipts import ReceiptBoard
from sparkcore.runs.store import RunStore
from tests.models.fixture_model import copy_fixture_model

_AT_MOST_MB = 1500.0
_ROOT = "s3://some-bucket/pictures"
_MODEL_BYTES = 100_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--count", type=int, default=10_000_000)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the sum of the largest resident sets of the driver's Python and JVM."""
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as name:
        folder, started = Path(name), time.perf_counter()
        engine = EngineConfig(store=str(folder / "store"))
        spark = start_session(engine)
        try:
            spark.range(1).toArrow()
            buckets = _plan(options.count, engine, worker_slots(spark) or 1, copy_fixture_model(folder))
            peaks_mb = {name: peak_memory_mb(pid) for name, pid in driver_pids(spark).items()}
        finally:
            spark.stop()
    parts = ", ".join(f"{name} {value:.0f}" for name, value in peaks_mb.items())
    yield Figure(
        "driver memory", sum(peaks_mb.values()), "MB",
        f"{parts}; {options.count:,} made-up names, {buckets:,} buckets, a local session, no tasks, "
        f"{time.perf_counter() - started:.0f} s",
        at_most=_AT_MOST_MB,
    )  # fmt: skip


def _plan(count: int, engine: EngineConfig, slots: int, model: Path) -> int:
    """List and plan as a run does before its first task; return the number of buckets."""
    config, store = RunConfig(images=_ROOT, model=str(model)), RunStore(engine.store, engine.state)
    with made_up_listing(count, _ROOT, store.state / "listings") as listing:
        request = Request.of(config, resolve_model(config), listing, choose_runtime(config.precision))
        plan = make_plan(store.storage, request, bucket_size(count, _MODEL_BYTES, slots), (), lambda: None)
        create_plan(store.storage, plan)
        board = ReceiptBoard(store.storage, plan)
        board.poll()
        shares(board.missing, slots)
    return plan.buckets
