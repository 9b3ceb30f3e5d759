"""Carry out one run: plan it, let Spark compute the buckets without a receipt, compact, write the manifest."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from sparkcore.background import cancelled_on_error, in_background, result_of
from sparkcore.config import EngineConfig
from sparkcore.engine.bucket_job import BucketJob, bucket_frame
from sparkcore.engine.bucketing import bucket_size
from sparkcore.engine.classification import worker_task
from sparkcore.engine.compaction import compact_run
from sparkcore.engine.freezing import start_loading
from sparkcore.engine.manifest_builder import build_manifest
from sparkcore.engine.planning import find_donors, make_plan, note_recipe
from sparkcore.engine.preflight import check_executor, check_store, local_images
from sparkcore.engine.request import Request
from sparkcore.engine.source_job import SparkSource, is_read_by_spark
from sparkcore.engine.spark_errors import to_sparkcore_error
from sparkcore.engine.spark_jobs import IdleWatch, worker_slots, workers_are_local
from sparkcore.engine.tally import Tally
from sparkcore.errors import EngineError, RequestError, RunFailedError, SparkcoreError
from sparkcore.models.frozen import FrozenModel
from sparkcore.progress import Step, Watch
from sparkcore.runs.files_table import committed_parts, is_compacted
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.plan import Plan, create_plan, read_plan
from sparkcore.runs.receipts import ReceiptBoard
from sparkcore.runs.store import RunStore
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.opening import open_storage
from sparkcore.worker.bucket import BucketTask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_CHECK_EVERY_S = 0.2
_POLL_SHARE = 0.05  # of the time is spent on listing receipts
_MAX_POLL_S = 30.0
_RESTARTS = 2  # of a job, without a new receipt
_WAITING = "waiting for a free executor"
_DEFAULT_SLOTS = 2  # where a Connect server does not tell

MakeFrame = Callable[[BucketTask, list[int]], "DataFrame"]
T = TypeVar("T")


@dataclass(slots=True)
class Execution:
    """One run in progress in this process; other processes may carry out the same plan."""

    request: Request
    engine: EngineConfig
    watch: Watch
    store: RunStore
    spark: Callable[[], SparkSession]
    tally: Tally = field(default_factory=Tally)
    next_poll: float = 0.0  # on the monotonic clock

    def complete(self, list_s: float) -> Manifest:
        """Finish the run and return its manifest; `list_s` is what was spent before."""
        begun = time.monotonic()
        spark, model, plan = self._prepare()
        noted = _asked(partial(note_recipe, self.store.storage, plan))
        described = self.request.model
        named = _asked(partial(self.store.write_classes, plan.run_id, described.classes, described.groups))
        board = ReceiptBoard(self.store.storage, plan)
        for receipt in board.poll():
            self.tally.add(receipt, resumed=True)
        for answer in (noted, named):
            result_of(answer, self.watch.check)
        self.tally.seconds["list"] = list_s
        if board.missing:
            task = self._task(spark, model, plan)
            self.tally.seconds["start"] = time.monotonic() - begun
            self._compute(spark, task, board)
        return self._finish(spark, board, model, begun - list_s)

    def _prepare(self) -> tuple[SparkSession, FrozenModel, Plan]:
        """Start Spark, load the model and find or make the plan; the store is asked meanwhile."""
        storage, request, check = self.store.storage, self.request, self.watch.check
        self._report("starting Spark")
        checked = _asked(partial(check_store, storage))
        known = _asked(partial(read_plan, storage, request.run_id))
        donors = _asked(partial(find_donors, storage, request))
        _asked(partial(import_module, "pandas"))  # `mapInArrow` imports it: here while the JVM starts
        with cancelled_on_error(start_loading(request, storage)) as loading:
            spark = self.spark()
            self._report("loading the model")
            model = result_of(loading, check)
        plan = result_of(known, check)
        if plan is not None:
            result_of(checked, check)
            return spark, model, plan
        slots = worker_slots(spark) or _DEFAULT_SLOTS
        size = self.engine.bucket_size or bucket_size(request.listing.images, model.path.stat().st_size, slots)
        plan = make_plan(storage, request, size, result_of(donors, check), check)
        result_of(checked, check)
        return spark, model, create_plan(storage, plan)

    def _task(self, spark: SparkSession, model: FrozenModel, plan: Plan) -> BucketTask:
        config, bucket = self.request.config, self.request.listing.bucket
        storage = open_storage(bucket) if bucket else None
        worker = replace(worker_task(spark, config, model, self.engine), storage=storage)
        is_local = workers_are_local(spark)
        task = BucketTask(
            worker=worker,
            store=self.store.storage,
            plan=plan,
            reuse_errors=self.request.retry == 0,
            images=None if is_local else local_images(config.images, self.request.listing),
            stop=str(self.store.state / "stops" / uuid.uuid4().hex) if is_local else None,
        )
        self._on_spark(lambda: check_executor(spark, task, self._ticks(spark, "checking the executors")))
        return task

    def _compute(self, spark: SparkSession, task: BucketTask, board: ReceiptBoard) -> None:
        self._report("classifying")
        begun, slots = time.monotonic(), worker_slots(spark)
        if is_read_by_spark(self.request.config.images, self.request.config.reader):
            source = SparkSource(spark, self.request.listing.spark_paths)
            for buckets in source.rounds(board.missing, task.plan.bucket_size):
                self._repeat(spark, source.frame, task, board, buckets)
        # What Spark has passed over is opened by the workers, or gets its reason there.
        self._repeat(spark, partial(bucket_frame, spark, slots or _DEFAULT_SLOTS), task, board, board.missing)
        if board.missing:
            raise RunFailedError("Spark's tasks ended without a result. See logs/spark.log.")
        classify_s = time.monotonic() - begun
        self.tally.seconds["classify"] = classify_s
        if slots is not None:
            self.tally.seconds["idle"] = max(0.0, slots * classify_s - self.tally.seconds["work"])

    def _repeat(
        self, spark: SparkSession, frame: MakeFrame, task: BucketTask, board: ReceiptBoard, buckets: list[int]
    ) -> None:
        """Start Spark jobs over buckets until one goes well; raise why where several in a row brought no receipt."""
        fruitless = 0
        while left := sorted(set(buckets).intersection(board.missing)):
            self._pause(task)
            failure = self._carry_out(BucketJob(spark, partial(frame, task, left), task.stop), board)
            if task.is_stopped:  # others had the cores
                continue
            if failure is None:
                return
            fruitless = fruitless + 1 if set(left) <= set(board.missing) else 0
            if fruitless > _RESTARTS:
                raise failure
            task = replace(task, worker=replace(task.worker, careful=True))  # Spark counts attempts of each job anew

    def _carry_out(self, job: BucketJob, board: ReceiptBoard) -> SparkcoreError | None:
        """Run a Spark job; return why it failed if it may be repeated, and raise what would hit any image."""
        try:
            job.run(partial(self._follow, job, board, IdleWatch(job.spark)))
        except SparkcoreError:
            raise
        except Exception as error:
            failure = to_sparkcore_error(error)
            if isinstance(failure, RequestError | EngineError):
                raise failure from error
            return failure
        finally:
            self._note(board)
        return None

    def _pause(self, task: BucketTask) -> None:
        """Wait while others have the cores."""
        while self.watch.must_pause() and task.stop is not None:
            self._report("waiting for a quick look")
            time.sleep(_CHECK_EVERY_S / 4)
        task.go_on()

    def _follow(self, job: BucketJob, board: ReceiptBoard, idle: IdleWatch) -> float:
        """Look for a cancellation and, when it is time, for new receipts; return when to look again, in seconds."""
        self.watch.check()
        phase, begun = _WAITING if idle.waits() else "classifying", time.monotonic()
        if begun >= self.next_poll:
            self._note(board, phase)
            cost_s = time.monotonic() - begun
            self.next_poll = begun + min(cost_s / _POLL_SHARE, _MAX_POLL_S)
        else:
            self._report(phase)
        if self.watch.must_pause():
            job.stop_tasks()
        return _CHECK_EVERY_S

    def _note(self, board: ReceiptBoard, phase: str = "classifying") -> None:
        for receipt in board.poll():
            self.tally.add(receipt, resumed=False)
        self._report(phase)

    def _ticks(self, spark: SparkSession, phase: str) -> Callable[[], float]:
        """Return what a job without receipts calls: it reports the phase, and ends the job of a cancelled run."""
        idle = IdleWatch(spark)

        def tick() -> float:
            self._report(_WAITING if idle.waits() else phase)
            return _CHECK_EVERY_S

        return tick

    def _finish(self, spark: SparkSession, board: ReceiptBoard, model: FrozenModel, started: float) -> Manifest:
        self._report("finishing")
        begun = time.monotonic()
        run_id = self.request.run_id
        parts = committed_parts(board.receipts.values())
        if not is_compacted(self.store.storage, run_id):
            tick = self._ticks(spark, "finishing")
            self._on_spark(lambda: compact_run(spark, self.store.storage, run_id, parts, tick))
        self.tally.seconds["compact"] = time.monotonic() - begun
        total_s = time.monotonic() - started
        manifest = self.store.finish(build_manifest(self.request, model, self.tally, board.receipts.values(), total_s))
        if isinstance(self.store.storage, FolderStorage):  # of an object store whoever opens the run fetches its rows
            map_results(self.store, run_id)
        return manifest

    def _on_spark(self, work: Callable[[], None]) -> None:
        """Do work in Spark; raises SparkcoreError in the place of Spark's exceptions."""
        try:
            work()
        except Exception as error:
            raise to_sparkcore_error(error) from error

    def _report(self, phase: str) -> None:
        self.watch.check()
        total = self.request.listing.images
        self.watch.progress(Step(phase, self.tally.images, total, self.tally.errors))


def _asked(question: Callable[[], T]) -> Future[T]:
    """Start to ask the store, or for whatever else takes long."""
    return in_background(lambda _: question(), "ahead")
