"""Carry out one run: keep what is finished, take over what still holds, compute the rest part by part."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.classification import worker_task
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.listing import Listing
from sparkcore.engine.parts import PartRunner
from sparkcore.engine.planning import Parts
from sparkcore.engine.session import worker_slots
from sparkcore.engine.summary import Tally, make_manifest
from sparkcore.engine.takeover import donors, take_over
from sparkcore.models.freeze import FrozenModel
from sparkcore.models.weights import ResolvedModel
from sparkcore.progress import Step, Watch
from sparkcore.runs.identity import recipe_id, run_id
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_ERROR

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PARTS_AT_ONCE = 2  # the next part's tasks fill the cores that the last tasks of a part leave idle
_CHECK_EVERY_S = 0.2
_USUAL_WORKERS = 2  # where Spark does not tell


@dataclass(slots=True)
class Execution:
    """One run under way in this process, which holds the run's lock."""

    config: RunConfig
    engine: EngineConfig
    watch: Watch
    store: RunStore
    model: ResolvedModel
    listing: Listing
    request: str
    attempt: int
    spark: Callable[[], SparkSession]
    tally: Tally = field(default_factory=Tally)

    @property
    def run_id(self) -> str:
        """Return the name of the run."""
        return run_id(self.request, self.attempt)

    @property
    def recipe(self) -> str:
        """Return the identity of what is done to each image."""
        return recipe_id(self.config, self.model.digest)

    def complete(self, started: float, list_s: float) -> Manifest:
        """Bring the run to its end and return its manifest; `started` is in seconds since the epoch."""
        self.store.write_plan(self.run_id, {"recipe_id": self.recipe})
        todo = self._take_over(self._without_finished(self.listing.files))
        if todo.num_rows:
            self._compute(todo)
        self.tally.seconds["list"] = list_s
        manifest = make_manifest(self, started)
        self.store.finish(manifest)
        map_results(self.store, self.run_id)  # now, so that nobody waits for it when the run is first opened
        return manifest

    def _without_finished(self, files: pa.Table) -> pa.Table:
        """Leave out the images of parts that an interrupted run of the same id has written."""
        paths = [*self.store.parts(self.run_id), *self.store.excluded(self.run_id)]
        tables = [pq.read_table(path, columns=["image_id"]) for path in paths]
        left = _without(files, tables)
        self._note("resumed", files.num_rows - left.num_rows)
        return left

    def _take_over(self, files: pa.Table) -> pa.Table:
        """Copy the rows of earlier runs whose image did not change; return the files without such a row."""
        for donor in donors(self.store, self.recipe, self.run_id):
            if not files.num_rows:
                break
            for results, excluded in take_over(self.store, donor, files, self.config, errors=self.attempt == 0):
                name = f"reused-{self.store.next_part(self.run_id):05d}"
                self.store.write_part(self.run_id, name, results, excluded)
                files = _without(files, [results.select(["image_id"]), excluded.select(["image_id"])])
                self._note("reused", results.num_rows + excluded.num_rows)
                self._say("taking over unchanged images")
        return files

    def _compute(self, files: pa.Table) -> None:
        self._say("starting Spark")
        begun = time.time()
        freezing = start_freezing(self.model, self.config.precision)
        spark = self.spark()
        self._say("loading the model")
        task = worker_task(spark, self.config, self._wait(freezing), self.engine)
        self.tally.seconds["start"] = time.time() - begun
        self._say("classifying")
        workers = worker_slots(spark)
        tasks = workers or _USUAL_WORKERS
        parts = Parts(files, self.config, self.engine, tasks, kind=f"{self.model.digest} {self.config.reader}")
        begun = time.time()
        self._compute_parts(spark, PartRunner(spark, self.listing.roots, task, tasks), parts)
        classify_s = time.time() - begun
        self.tally.seconds["classify"] = classify_s
        if workers is not None:
            self.tally.seconds["idle"] = max(0.0, workers * classify_s - self.tally.seconds.get("work", 0.0))

    def _wait(self, freezing: Future[FrozenModel]) -> FrozenModel:
        while not wait([freezing], timeout=_CHECK_EVERY_S).done:
            self.watch.check()
        return freezing.result()

    def _compute_parts(self, spark: SparkSession, runner: PartRunner, parts: Parts) -> None:
        numbers = count(self.store.next_part(self.run_id))
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
                        parts.learn(tally.images, spent_s)
                        self.tally.add(tally)
                        self._say("classifying")
                    self.watch.check()
            except BaseException:
                spark.interruptAll()
                raise

    def _part(self, runner: PartRunner, number: int, files: pa.Table) -> tuple[Tally, float]:
        """Compute and write one part; return what it adds to the run, and its seconds from beginning to end."""
        begun = time.time()
        rows = runner.compute(files)
        computed = time.time()
        self.store.write_part(self.run_id, f"part-{number:05d}", rows.results, rows.excluded)
        written = time.time()
        seconds = {name.removesuffix("_s"): spent for name, spent in rows.cost.items()}
        errors = pc.sum(pc.equal(rows.results["status"], STATUS_ERROR)).as_py() or 0
        tally = Tally({"computed": files.num_rows}, {**seconds, "write": written - computed}, errors)
        return tally, written - begun

    def _note(self, kind: str, images: int) -> None:
        self.tally.add(Tally({kind: images}))

    def _say(self, phase: str) -> None:
        self.watch.check()
        self.watch.progress(Step(phase, self.tally.images, self.listing.files.num_rows, self.tally.errors))


def _without(files: pa.Table, tables: list[pa.Table]) -> pa.Table:
    ids = pa.concat_arrays([pa.array([], pa.string()), *(c for t in tables for c in t["image_id"].chunks)])
    return files.filter(pc.invert(pc.is_in(files["image_id"], value_set=ids))) if len(ids) else files
