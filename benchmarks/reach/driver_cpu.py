"""CPU of the driver for an image: a whole run, real but for its rows, which executors make up."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.made_up import made_up_listing
from benchmarks.reach.driver import cpu_s, driver_pids
from benchmarks.reach.figure import Figure
from benchmarks.reach.made_up_rows import made_up_frame
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine import execution
from sparkcore.engine.request import Request
from sparkcore.engine.session import start_session
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import choose_runtime
from sparkcore.origins import origin_of
from sparkcore.progress import Watch
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.plan import read_plan
from sparkcore.runs.store import RunStore
from tests.cluster.servers import standalone
from tests.models.fixture_model import copy_fixture_model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_AT_MOST_MS = 0.05
_WARM_UP = 2_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2, help="of one core each")
    parser.add_argument("--bucket-size", type=int, help="images in a bucket (default: those of a small model)")
    parser.add_argument("--thumbnail-bytes", type=int, default=1000, help="the driver sees none of them")


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the driver's CPU for an image, from the first name to the manifest, in a warm session."""
    with (
        tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as name,
        standalone(Path(name, "cluster"), options.workers) as master,
    ):
        folder = Path(name)
        (folder / "images").mkdir()
        copy_fixture_model(folder)
        engine = EngineConfig(store=str(folder / "store"), master=master, bucket_size=options.bucket_size)
        spark = start_session(engine)
        try:
            with patch.object(
                execution, "bucket_frame", partial(made_up_frame, thumbnail_bytes=options.thumbnail_bytes)
            ):
                yield from _measured(options, engine, spark, folder)
        finally:
            spark.stop()


def _measured(options: argparse.Namespace, engine: EngineConfig, spark: SparkSession, folder: Path) -> Iterator[Figure]:
    _run(_WARM_UP, 1, engine, spark, folder)
    pids = driver_pids(spark)
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    manifest = _run(options.count, 2, engine, spark, folder)
    spent_ms = {name: 1000 * (cpu_s(pid) - before[name]) / options.count for name, pid in pids.items()}
    plan = read_plan(RunStore(engine.store).storage, manifest.run_id)
    if plan is None or manifest.counts["ok"] != options.count:
        raise RuntimeError(f"Expected {options.count} rows, received {manifest.counts}.")
    parts = ", ".join(f"{name} {value:.4f}" for name, value in spent_ms.items())
    seconds = ", ".join(f"{name} {manifest.timings[name]:.1f}" for name in ("total", "list", "classify", "compact"))
    yield Figure(
        "driver CPU", sum(spent_ms.values()), "ms an image",
        f"{parts}; {options.count:,} images in {plan.buckets:,} buckets, standalone master, {options.workers} workers "
        f"of one core, local store, warm session; seconds: {seconds}",
        at_most=_AT_MOST_MS,
    )  # fmt: skip


def _run(count: int, top_k: int, engine: EngineConfig, spark: SparkSession, folder: Path) -> Manifest:
    """Carry out a run of made-up images; another `top_k` is another recipe, whose rows are not copied."""
    started = time.time()
    config = RunConfig(images=str(folder / "images"), model=str(folder / "colors.keras"), top_k=top_k)
    store = RunStore(engine.store, engine.state)
    with made_up_listing(count, origin_of(folder / "images"), store.state / "listings") as listing:
        request = Request.of(config, resolve_model(config), listing, choose_runtime(config.precision))
        run = execution.Execution(request, engine, Watch(), store, lambda: spark)
        return run.complete(started, time.time() - started)
