"""Result rows of prepared images and their scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.models.top_k import entropy, margin
from sparkcore.origins import file_name, truth_of
from sparkcore.schema import (
    CLASSIFIED_FIELDS,
    KEEP_FIELDS,
    STATUS_ERROR,
    STATUS_EXCLUDED,
    STATUS_OK,
    TOP_TYPE,
    image_id,
)
from sparkcore.worker.features import Predicted
from sparkcore.worker.image import Prepared
from sparkcore.worker.task import WorkerTask

TIMINGS = ("read_s", "predict_s", "load_s", "work_s")  # seconds of the worker; decode_s counts those of its threads
COST_FIELD = pa.field("cost", pa.struct([(name, pa.float64()) for name in ("decode_s", *TIMINGS)]))
_FACTS = (
    "format", "mode", "width", "height", "channels",
    "content_hash", "perceptual_hash", "brightness", "contrast", "sharpness",
)  # fmt: skip
_PREDICTED = (
    "class_id", "label", "score", "margin", "entropy", "top", "scores", "embedding", "activation"
)  # fmt: skip
_IDENTITY_FIELDS = [pa.field("image_id", pa.string()), pa.field("file_name", pa.string())]


def added_fields(keep: tuple[str, ...]) -> list[pa.Field]:
    """Return the columns that classification adds to its input."""
    return [*_IDENTITY_FIELDS, *CLASSIFIED_FIELDS, *(KEEP_FIELDS[name] for name in keep), COST_FIELD]


def classified_batch(
    group: list[Prepared], predicted: Predicted | None, task: WorkerTask, spent: dict[str, float]
) -> pa.RecordBatch:
    """Return the rows of a group of images; `predicted` has one row for each image with pixels, None where none has."""
    origins = [row.source.origin for row in group]
    columns: dict[str, Any] = {
        "image_id": [image_id(origin) for origin in origins],
        "file_name": [file_name(origin) for origin in origins],
        "truth": [truth_of(origin, task.config.truth) for origin in origins],
        "thumbnail": [row.thumbnail for row in group],
        **{name: [row.facts.get(name) for row in group] for name in _FACTS},
        **_states(group),
        **_predictions(group, predicted, task),
        "cost": _costs(group, spent),
    }
    if "pixels" in task.config.keep:
        columns["pixels"] = [row.full_pixels for row in group]
    if "resized" in task.config.keep:
        columns["resized"] = [None if row.pixels is None else row.pixels.tobytes() for row in group]
    added = added_fields(task.config.keep)
    others = pa.Table.from_batches([row.source.others.slice(row.source.row, 1) for row in group]).combine_chunks()
    arrays = [*(column.chunk(0) for column in others.columns), *(_array(columns[f.name], f.type) for f in added)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([*others.schema, *added]))


def _states(group: list[Prepared]) -> dict[str, list[str | None]]:
    return {
        "status": [
            STATUS_ERROR if row.error else STATUS_EXCLUDED if row.pixels is None else STATUS_OK for row in group
        ],
        "error_type": [row.error.error_type if row.error else None for row in group],
        "error_message": [row.error.message if row.error else None for row in group],
    }


def _predictions(group: list[Prepared], predicted: Predicted | None, task: WorkerTask) -> dict[str, Any]:
    """Return the model's columns, null for images without scores."""
    seen = np.array([row.pixels is not None for row in group])
    if predicted is None:
        return dict.fromkeys(_PREDICTED, [None] * len(group))
    probabilities, best = predicted.scores, predicted.best
    class_ids, labels = pa.array(task.model.class_ids), pa.array(task.model.labels)
    columns = {
        "class_id": class_ids.take(pa.array(best.indices[:, 0])),
        "label": labels.take(pa.array(best.indices[:, 0])),
        "score": pa.array(best.scores[:, 0]),
        "margin": pa.array(margin(probabilities)),
        "entropy": pa.array(entropy(probabilities)),
        "top": _top(best.indices, best.scores, class_ids, labels),
        "scores": _lists(probabilities),
        "embedding": _blobs(predicted.embeddings, len(probabilities)),
        "activation": _blobs(predicted.activations, len(probabilities)),
    }
    places = pa.array(np.cumsum(seen) - 1, mask=~seen)
    return {name: column.take(places) for name, column in columns.items()}


def _top(
    indices: npt.NDArray[np.int64], scores: npt.NDArray[np.float32], class_ids: pa.Array, labels: pa.Array
) -> pa.ListArray:
    flat = pa.array(indices.ravel())
    entries = pa.StructArray.from_arrays(
        [class_ids.take(flat), labels.take(flat), pa.array(scores.ravel())], fields=list(TOP_TYPE.value_type)
    )
    return pa.ListArray.from_arrays(_offsets(indices.shape), entries)


def _blobs(values: npt.NDArray[Any] | None, rows: int) -> pa.Array:
    """Return the bytes of each row of an array; null for none."""
    return pa.nulls(rows, pa.binary()) if values is None else pa.array([row.tobytes() for row in values], pa.binary())


def _lists(values: npt.NDArray[np.float32]) -> pa.ListArray:
    return pa.ListArray.from_arrays(_offsets(values.shape), pa.array(values.ravel()))


def _offsets(shape: tuple[int, ...]) -> pa.Array:
    rows, length = shape
    return pa.array(np.arange(rows + 1, dtype=np.int32) * length)


def _costs(group: list[Prepared], spent: dict[str, float]) -> list[dict[str, float]]:
    """Put the seconds of a group on its first row: only sums are used."""
    nothing = dict.fromkeys(TIMINGS, 0.0)
    return [{**(spent if i == 0 else nothing), "decode_s": row.decode_s} for i, row in enumerate(group)]


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)
