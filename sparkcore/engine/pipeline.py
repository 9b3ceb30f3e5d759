"""A run from request to manifest: find the answer in the store, or compute it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sparkcore.background import in_background, result_of
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.calibration import Calibrator, found_calibration
from sparkcore.engine.execution import Execution
from sparkcore.engine.listing import list_images
from sparkcore.engine.request import Request
from sparkcore.engine.session import session_when_needed
from sparkcore.errors import ConfigError
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import choose_runtime
from sparkcore.origins import split_object_uri
from sparkcore.progress import Step, Watch
from sparkcore.roots import Root
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore
from sparkcore.storage.ahead import map_ahead


@dataclass(frozen=True, slots=True)
class Outcome:
    """The run that answers a request; `status` is "complete" if it was computed now, "cached" if it existed."""

    manifest: Manifest
    status: str


def run(
    config: RunConfig,
    engine: EngineConfig | None = None,
    *,
    watch: Watch | None = None,
    retry_failed: bool = False,
    roots: tuple[Root, ...] | None = None,
) -> Outcome:
    """Classify the images of a request into the store, unless the store has the answer.

    Spark is started only if something has to be computed, and stopped again unless a session was running already.
    `retry_failed` recomputes the images that failed in the last run of this request. With `roots`, only files whose
    real path lies below one of them are read.

    Raises RequestError for a wrong request, RunFailedError when the run cannot be finished, and whatever
    `watch.check` raises. Committed buckets are kept, and the next run of the same request resumes. Drivers of the same
    request share one plan.
    """
    _check_reader(config, split_object_uri(config.images))
    engine, watch, started = engine or EngineConfig.from_environment(), watch or Watch(), time.monotonic()
    model = resolve_model(config, watch)
    computation = choose_runtime(config.precision, only_openvino=model.graph is not None)
    watch.progress(Step("listing"))
    store = RunStore(engine.store, engine.state)
    # A store that does not answer is said within seconds.
    result_of(in_background(lambda _: store.storage.check(), "store"), watch.check)
    spill = store.state / "listings"
    with (
        session_when_needed(engine, watch.check) as spark,
        list_images(config, spark, spill, roots=roots, check=watch.check) as listing,
    ):
        list_s = time.monotonic() - started
        _check_reader(config, listing.bucket)
        request = found_calibration(Request.of(config, model, listing, computation), store)
        request, is_finished = _newest_retry(request, store, retry_failed=retry_failed)
        if request.has_identity and is_finished:
            return Outcome(store.manifest(request.run_id), "cached")
        watch.listed(listing.images)
        if request.lacks_calibration:
            request = Calibrator(request, store, watch, spark).make()
        execution = Execution(request, engine, watch, store, spark)
        return Outcome(execution.complete(list_s), "complete")


def _check_reader(config: RunConfig, bucket: object) -> None:
    if config.reader == "image" and bucket is not None:
        raise ConfigError("reader: expected bytes for images on an object store, received image, which needs Hadoop.")


def _newest_retry(request: Request, store: RunStore, *, retry_failed: bool) -> tuple[Request, bool]:
    """Return the request with its newest finished retry, or the next one if errors are to be retried.

    The second value tells whether it is finished.
    """
    newest, following = request, request.next_retry()
    is_finished, has_following = map_ahead(store.has, (newest.run_id, following.run_id), 2)
    while has_following:
        newest, following, is_finished = following, following.next_retry(), True
        has_following = store.has(following.run_id)
    if retry_failed and is_finished and store.manifest(newest.run_id).counts["errors"] > 0:
        return following, False
    return newest, is_finished
