"""Embeddings of pictures that are in no run, by the model of a run, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.engine.own_model import own_task
from sparkcore.errors import ImageError
from sparkcore.origins import origin_of
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.vectors import check_embeddings
from sparkcore.schema import STATUS_OK
from sparkcore.worker.loop import classify_batches


def embed_files(manifest: Manifest, paths: Sequence[Path]) -> npt.NDArray[np.float16]:
    """Return the embeddings of local picture files, float16 [n, length], as a run would have them, in float32.

    Raises RequestError for a run without embeddings, ModelError where its model is gone or is another one now,
    ImageError for a file that cannot be read.
    """
    check_embeddings(manifest)
    origins = pa.array([origin_of(path) for path in paths])
    contents = pa.array([path.read_bytes() for path in paths], pa.binary())
    found = list(classify_batches([pa.record_batch({"origin": origins, "content": contents})], own_task(manifest)))
    rows = pa.Table.from_batches(found).select(["status", "error_type", "error_message", "embedding"]).to_pylist()
    for path, row in zip(paths, rows, strict=True):
        if row["status"] != STATUS_OK:
            raise ImageError(row["error_type"], f"{path}: {row['error_message']}")
    return np.stack([np.frombuffer(row["embedding"], np.float16) for row in rows])
