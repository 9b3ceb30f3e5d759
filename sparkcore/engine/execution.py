"""Carry out one run: keep what is finished, take over what still holds, compute the rest part by part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.classification import worker_task
from sparkcore.engine.freezing import start_freezing
from sparkcore.engine.listing import Listing
from sparkcore.engine.parts import PartRunner
from sparkcore.engine.planning import part_count, parts
from sparkcore.engine.progress import Step, Watch
from sparkcore.engine.summary import Tally, make_manifest
from sparkcore.engine.takeover import donors, take_over
from sparkcore.models.freeze import FrozenModel
from sparkcore.models.weights import ResolvedModel
from sparkcore.runs.identity import recipe_id, run_id
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_ERROR

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PARTS_AT_ONCE = 2  # the next part's tasks fill the cores that the last tasks of a part leave idle
_CHECK_EVERY_S = 0.2


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
        plan = self.store.plan(self.run_id) or {"recipe_id": self.recipe, "part_count": None}
        self.store.write_plan(self.run_id, plan)
        todo = self._take_over(self._without_finished(self.listing.files))
        if todo.num_rows:
            plan["part_count"] = plan["part_count"] or part_count(todo.num_rows, self.config, self.engine)
            self.store.write_plan(self.run_id, plan)
            self._compute(parts(todo, plan["part_count"]))
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
        self._count("resumed", files.num_rows - left.num_rows)
        return left

    def _take_over(self, files: pa.Table) -> pa.Table:
        """Copy the rows of earlier runs whose image did not change; return the files without such a row."""
        for donor in donors(self.store, self.recipe, self.run_id):
            if not files.num_rows:
                break
            for results, excluded in take_over(self.store, donor, files, self.config, errors=self.attempt == 0):
                name = f"reused-{len(self.store.parts(self.run_id)):05d}"
                self.store.write_part(self.run_id, name, results, excluded)
                files = _without(files, [results.select(["image_id"]), excluded.select(["image_id"])])
                self._count("reused", results.num_rows + excluded.num_rows)
                self._say("taking over unchanged images")
        return files

    def _compute(self, todo: dict[int, pa.Table]) -> None:
        self._say("starting Spark")
        begun = time.time()
        freezing = start_freezing(self.model, self.config.precision)
        spark = self.spark()
        self._say("loading the model")
        task = worker_task(spark, self.config, self._wait(freezing), self.engine)
        self.tally.seconds["start"] = time.time() - begun
        self._say("classifying")
        begun = time.time()
        self._compute_parts(spark, PartRunner(spark, self.listing.roots, task), iter(todo.items()))
        self.tally.seconds["classify"] = time.time() - begun

    def _wait(self, freezing: Future[FrozenModel]) -> FrozenModel:
        while not wait([freezing], timeout=_CHECK_EVERY_S).done:
            self.watch.check()
        return freezing.result()

    def _compute_parts(self, spark: SparkSession, runner: PartRunner, todo: Iterator[tuple[int, pa.Table]]) -> None:
        with ThreadPoolExecutor(_PARTS_AT_ONCE, "part") as pool:
            pending: set[Future[Tally]] = set()
            try:
                while True:
                    for number, files in _first(todo, _PARTS_AT_ONCE - len(pending)):
                        pending.add(pool.submit(self._part, runner, number, files))
                    if not pending:
                        return
                    done, pending = wait(pending, timeout=_CHECK_EVERY_S, return_when=FIRST_COMPLETED)
                    for future in done:
                        self.tally.add(future.result())
                        self._say("classifying")
                    self.watch.check()
            except BaseException:
                spark.interruptAll()
                raise

    def _part(self, runner: PartRunner, number: int, files: pa.Table) -> Tally:
        rows = runner.compute(files)
        begun = time.time()
        self.store.write_part(self.run_id, f"part-{number:05d}", rows.results, rows.excluded)
        seconds = {name.removesuffix("_s"): spent for name, spent in rows.cost.items()}
        errors = pc.sum(pc.equal(rows.results["status"], STATUS_ERROR)).as_py() or 0
        return Tally({"computed": files.num_rows}, {**seconds, "write": time.time() - begun}, errors)

    def _count(self, kind: str, images: int) -> None:
        self.tally.add(Tally({kind: images}))

    def _say(self, phase: str) -> None:
        self.watch.check()
        self.watch.progress(Step(phase, self.tally.images, self.listing.files.num_rows, self.tally.errors))


def _without(files: pa.Table, tables: list[pa.Table]) -> pa.Table:
    ids = pa.concat_arrays([pa.array([], pa.string()), *(c for t in tables for c in t["image_id"].chunks)])
    return files.filter(pc.invert(pc.is_in(files["image_id"], value_set=ids))) if len(ids) else files


def _first(items: Iterator[tuple[int, pa.Table]], count: int) -> Iterator[tuple[int, pa.Table]]:
    return (item for _, item in zip(range(count), items, strict=False))
