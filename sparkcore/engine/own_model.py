"""The model of a finished run, ready to compute in this process, in float32 and without limits on sizes."""

from __future__ import annotations

from sparkcore.config import RunConfig
from sparkcore.engine.freezing import start_freezing
from sparkcore.errors import ModelError
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import choose_runtime
from sparkcore.runs.manifest import Manifest
from sparkcore.worker.task import WorkerTask

_BATCH_SIZE = 8
_THREADS = 2
_NO_LIMITS = {f"{end}_{side}": None for end in ("min", "max") for side in ("width", "height", "channels")}


def own_task(manifest: Manifest) -> WorkerTask:
    """Return what a worker needs to compute further pictures as a run did.

    Raises ModelError where the run's model is gone or is another one now, WeightsError where its weights are.
    """
    known = RunConfig.from_dict(manifest.config)
    config = RunConfig.from_dict({**known.to_dict(), "precision": "float32", "sample": None, "keep": [], **_NO_LIMITS})
    resolved = resolve_model(config)
    if resolved.digest != manifest.model["digest"]:
        raise ModelError(
            f"Expected the model of run {manifest.run_id}, found another one as {config.model}: what it says of other "
            "pictures means nothing for this run. Run the pictures again with the model that is there now."
        )
    computation = choose_runtime("float32", only_openvino=resolved.graph is not None)
    return WorkerTask(config, start_freezing(resolved, computation).result(), _BATCH_SIZE, _THREADS)
