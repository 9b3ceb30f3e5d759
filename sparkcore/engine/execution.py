"""Carry out one run: keep finished parts, reuse rows that still hold, compute the rest part by part."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.config import EngineConfig
from sparkcore.engine.classification import worker_task
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.manifest_builder import build_manifest
from sparkcore.engine.parts import PartRunner
from sparkcore.engine.planning import Parts
from sparkcore.engine.request import Request
from sparkcore.engine.session import worker_slots
from sparkcore.engine.takeover import donors, take_over
from sparkcore.engine.tally import Tally
from sparkcore.models.freeze import FrozenModel
from sparkcore.progress import Step, Watch
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_ERROR
from sparkcore.storage.opening import input_storage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PARTS_AT_ONCE = 2  # the tasks of the next part fill the cores that the last tasks of a part leave idle
_CHECK_EVERY_S = 0.2
_DEFAULT_WORKERS = 2  # where a Connect server does not tell


@dataclass(slots=True)
class Execution:
    """One run in progress in this process, which holds the run's lock."""

    request: Request
    engine: EngineConfig
    watch: Watch
    store: RunStore
    spark: Callable[[], SparkSession]
    tally: Tally = field(default_factory=Tally)

    def complete(self, started: float, list_s: float) -> Manifest:
        """Finish the run and return its manifest; `started` is in seconds since the epoch."""
        self.store.write_plan(self.request.run_id, {"recipe_id": self.request.recipe_id})
        todo = self._take_over(self._without_finished(self.request.listing.files))
        if todo.num_rows:
            self._compute(todo)
        self.tally.seconds["list"] = list_s
        self.store.write_classes(self.request.run_id, self.request.model.classes)
        manifest = build_manifest(self.request, self.tally, self.store, started)
        self.store.finish(manifest)
        map_results(self.store, manifest.run_id)  # now, so that opening the run is quick
        return manifest

    def _without_finished(self, files: pa.Table) -> pa.Table:
        """Leave out the images of parts that an interrupted run of the same id has written."""
        paths = [*self.store.parts(self.request.run_id), *self.store.excluded(self.request.run_id)]
        tables = [pq.read_table(path, columns=["image_id"]) for path in paths]
        left = _without(files, tables)
        self._count("resumed", files.num_rows - left.num_rows)
        return left

    def _take_over(self, files: pa.Table) -> pa.Table:
        """Copy the rows of earlier runs whose image did not change; return the files that have no such row."""
        run_id, config = self.request.run_id, self.request.config
        for donor in donors(self.store, self.request.recipe_id, run_id):
            if not files.num_rows:
                break
            for results, excluded in take_over(self.store, donor, files, config, errors=self.request.attempt == 0):
                self.store.write_part(run_id, f"reused-{self.store.next_part(run_id):05d}", results, excluded)
                files = _without(files, [results.select(["image_id"]), excluded.select(["image_id"])])
                self._count("reused", results.num_rows + excluded.num_rows)
                self._report("reusing unchanged images")
        return files

    def _compute(self, files: pa.Table) -> None:
        self._report("starting Spark")
        begun = time.time()
        config = self.request.config
        freezing = start_freezing(self.request.model, config.precision)
        spark = self.spark()
        self._report("loading the model")
        task = worker_task(spark, config, self._wait(freezing), self.engine)
        task = replace(task, storage=input_storage(config.images))
        self.tally.seconds["start"] = time.time() - begun
        self._report("classifying")
        workers = worker_slots(spark)
        tasks = workers or _DEFAULT_WORKERS
        parts = Parts(files, config, self.engine, tasks, kind=f"{self.request.model.digest} {config.reader}")
        runner = PartRunner(spark, self.request.listing.spark_paths, task, tasks)
        begun = time.time()
        self._compute_parts(runner, parts)
        classify_s = time.time() - begun
        self.tally.seconds["classify"] = classify_s
        if workers is not None:
            self.tally.seconds["idle"] = max(0.0, workers * classify_s - self.tally.seconds.get("work", 0.0))

    def _wait(self, freezing: Future[FrozenModel]) -> FrozenModel:
        while not wait([freezing], timeout=_CHECK_EVERY_S).done:
            self.watch.check()
        return freezing.result()

    def _compute_parts(self, runner: PartRunner, parts: Parts) -> None:
        numbers = count(self.store.next_part(self.request.run_id))
        with ThreadPoolExecutor(_PARTS_AT_ONCE, "part") as pool:
            pending: set[Future[tuple[Tally, float]]] = set()
            try:
                while True:
                    while len(pending) < _PARTS_AT_ONCE and (files := parts.take()) is not None:
                        pending.add(pool.submit(self._part, runner, next(numbers), files))
                    if not pending:
                        return
                    done, pending = wait(pending, timeout=_CHECK_EVERY_S, return_when=FIRST_COMPLETED)
                    for future in done:
                        tally, spent_s = future.result()
                        parts.record(tally.images, spent_s)
                        self.tally.add(tally)
                        self._report("classifying")
                    self.watch.check()
            except BaseException:
                runner.stop()
                raise

    def _part(self, runner: PartRunner, number: int, files: pa.Table) -> tuple[Tally, float]:
        """Compute and write one part; return its tally and its duration in seconds."""
        begun = time.time()
        rows = runner.compute(files)
        computed = time.time()
        self.store.write_part(self.request.run_id, f"part-{number:05d}", rows.results, rows.excluded)
        written = time.time()
        seconds = {name.removesuffix("_s"): spent_s for name, spent_s in rows.cost.items()}
        errors = pc.sum(pc.equal(rows.results["status"], STATUS_ERROR)).as_py() or 0
        tally = Tally({"computed": files.num_rows}, {**seconds, "write": written - computed}, errors)
        return tally, written - begun

    def _count(self, kind: str, images: int) -> None:
        self.tally.add(Tally({kind: images}))

    def _report(self, phase: str) -> None:
        self.watch.check()
        total = self.request.listing.files.num_rows
        self.watch.progress(Step(phase, self.tally.images, total, self.tally.errors))


def _without(files: pa.Table, tables: list[pa.Table]) -> pa.Table:
    ids = pa.concat_arrays([pa.array([], pa.string()), *(c for t in tables for c in t["image_id"].chunks)])
    return files.filter(pc.invert(pc.is_in(files["image_id"], value_set=ids))) if len(ids) else files
