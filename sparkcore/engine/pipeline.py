"""A run from request to manifest: `run` finds the answer in the store or has it computed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.execution import Execution
from sparkcore.engine.listing import list_images, sampled
from sparkcore.engine.session import session_when_needed
from sparkcore.models.weights import resolve_model
from sparkcore.progress import Step, Watch
from sparkcore.runs.identity import request_id, run_id
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore


@dataclass(frozen=True, slots=True)
class Outcome:
    """The run that answers a request; `status` is "complete" when it was computed now, "cached" when it was there."""

    manifest: Manifest
    status: str


def run(
    config: RunConfig, engine: EngineConfig | None = None, *, watch: Watch | None = None, retry_failed: bool = False
) -> Outcome:
    """Classify the images of a request into the store, or find that it was done before.

    Spark is started only when something has to be computed, and stopped again unless a session was running already.
    With `retry_failed`, the images that had errors in the last run of this request are computed once more.

    Raises RequestError for a wrong request, RunFailedError when the run cannot be finished, and whatever
    `watch.check` raises; finished parts stay and the next run of the same request goes on from there.
    """
    engine, watch, started = engine or EngineConfig.from_environment(), watch or Watch(), time.time()
    watch.progress(Step("listing"))
    model = resolve_model(config)
    store = RunStore(engine.store)
    with session_when_needed(engine) as spark:
        listing = sampled(list_images(config.images, spark), config.sample, config.seed)
        listed = time.time()
        request = request_id(config, listing.files, model.digest)
        attempt = _attempt(store, request, retry_failed=retry_failed)
        name = run_id(request, attempt)
        with store.lock(name, lambda: _wait_for_other(watch)):
            if store.has(name):
                return Outcome(store.manifest(name), "cached")
            execution = Execution(config, engine, watch, store, model, listing, request, attempt, spark)
            return Outcome(execution.complete(started, list_s=listed - started), "complete")


def _attempt(store: RunStore, request: str, *, retry_failed: bool) -> int:
    """Return the number of the newest finished attempt, or the next one where errors are to be tried again."""
    newest = 0
    while store.has(run_id(request, newest + 1)):
        newest += 1
    name = run_id(request, newest)
    again = retry_failed and store.has(name) and store.manifest(name).counts["errors"] > 0
    return newest + 1 if again else newest


def _wait_for_other(watch: Watch) -> None:
    watch.check()
    watch.progress(Step("waiting for another process that computes the same"))
