"""Embeddings of pictures that are in no run, by the model of a run, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.config import RunConfig
from sparkcore.engine.freezing import start_freezing
from sparkcore.errors import ImageError, ModelError
from sparkcore.models.resolve import resolve_model
from sparkcore.models.runtimes.choice import choose_runtime
from sparkcore.origins import origin_of
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.vectors import check_embeddings
from sparkcore.schema import STATUS_OK
from sparkcore.worker.loop import classify_batches
from sparkcore.worker.task import WorkerTask

_BATCH_SIZE = 8


def embed_files(manifest: Manifest, paths: Sequence[Path]) -> npt.NDArray[np.float16]:
    """Return the embeddings of local picture files, float16 [n, length], as a run would have them, in float32.

    Raises RequestError for a run without embeddings, ModelError where its model is gone or is another one now,
    ImageError for a file that cannot be read.
    """
    check_embeddings(manifest)
    known = RunConfig.from_dict(manifest.config)
    config = RunConfig.from_dict({**known.to_dict(), "precision": "float32", "sample": None, "keep": [], **_NO_LIMITS})
    resolved = resolve_model(config)
    if resolved.digest != manifest.model["digest"]:
        raise ModelError(
            f"Expected the model of run {manifest.run_id}, found another one as {config.model}: distances between "
            "their embeddings mean nothing. Run the pictures again with the model that is there now."
        )
    computation = choose_runtime("float32", only_openvino=resolved.graph is not None)
    task = WorkerTask(config, start_freezing(resolved, computation).result(), _BATCH_SIZE, threads=2)
    origins = pa.array([origin_of(path) for path in paths])
    contents = pa.array([path.read_bytes() for path in paths], pa.binary())
    found = list(classify_batches([pa.record_batch({"origin": origins, "content": contents})], task))
    rows = pa.Table.from_batches(found).select(["status", "error_type", "error_message", "embedding"]).to_pylist()
    for path, row in zip(paths, rows, strict=True):
        if row["status"] != STATUS_OK:
            raise ImageError(row["error_type"], f"{path}: {row['error_message']}")
    return np.stack([np.frombuffer(row["embedding"], np.float16) for row in rows])


_NO_LIMITS = {f"{end}_{side}": None for end in ("min", "max") for side in ("width", "height", "channels")}
