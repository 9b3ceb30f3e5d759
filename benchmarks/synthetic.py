"""Large finished runs of random rows, in the engine's own format."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from benchmarks.finished_run import write_finished_run
from sparkcore.config import RunConfig
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore
from sparkcore.schema import ADDED_IN_3, TOP_TYPE, image_id, result_schema

CLASSES = 1000
TOP_K = 5
ROWS_PER_PART = 10_000
ERROR_SHARE = 0.005
CORRECT_SHARE = 0.8
_DISTINCT_PICTURES = 60
_MODIFIED_AT = datetime(2026, 1, 1, tzinfo=UTC)

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]


def write_synthetic_run(store: RunStore, rows: int, thumbnail_side: int = 256, seed: int = 0) -> str:
    """Write a run with `rows` rows, unless the store has it, and return its id.

    The 1,000 classes have frequencies of 1 / rank; the thumbnails are noise with about as many bytes as photos.
    """
    run_id = hashlib.sha256(f"{rows} {thumbnail_side} {seed}".encode()).hexdigest()[:16]
    if store.has(run_id):
        return run_id
    generator = np.random.default_rng(seed)
    pictures = [_picture(generator, thumbnail_side) for _ in range(_DISTINCT_PICTURES)]
    files = _sorted_files(rows, generator)
    parts = (_part(files.slice(start, ROWS_PER_PART), pictures, generator) for start in range(0, rows, ROWS_PER_PART))
    write_finished_run(store, _manifest(run_id, rows, pc.sum(files["failed"]).as_py()), parts)
    return run_id


def _sorted_files(rows: int, generator: np.random.Generator) -> pa.Table:
    """Return id, origin, true class and whether it is unreadable of all images, sorted by image_id."""
    truth = generator.choice(CLASSES, size=rows, p=_frequencies())
    origins = [
        f"file:/synthetic/{_class_id(code)}/image-{number:08d}.jpg" for number, code in enumerate(truth.tolist())
    ]
    failed = generator.random(rows) < ERROR_SHARE
    ids = list(map(image_id, origins))
    return pa.table({"image_id": ids, "origin": origins, "truth": truth, "failed": failed}).sort_by("image_id")


def _part(files: pa.Table, pictures: list[bytes], generator: np.random.Generator) -> pa.Table:
    truth, count = files["truth"].to_numpy(), files.num_rows
    predicted, score = _predictions(truth, generator)
    failed = files["failed"].to_numpy()
    chosen = generator.integers(len(pictures), size=count)
    side = generator.integers(200, 4000, size=(2, count)).astype(np.int32)
    columns: dict[str, Any] = {
        "image_id": files["image_id"].combine_chunks(),
        "origin": files["origin"].combine_chunks(),
        "file_name": [origin.rpartition("/")[2] for origin in files["origin"].to_pylist()],
        "size_bytes": generator.integers(10_000, 900_000, size=count),
        "modified_at": [_MODIFIED_AT] * count,
        "version": [str(int(_MODIFIED_AT.timestamp()) * 10**9)] * count,
        "format": _unless(failed, ["JPEG"] * count),
        "mode": _unless(failed, ["RGB"] * count),
        "height": _unless(failed, side[0].tolist()),
        "width": _unless(failed, side[1].tolist()),
        "channels": _unless(failed, [3] * count),
        "status": np.where(failed, "error", "ok"),
        "error_type": _unless(~failed, ["truncated"] * count),
        "error_message": _unless(~failed, ["The file ends too early."] * count),
        "class_id": _unless(failed, [_class_id(code) for code in predicted[:, 0]]),
        "label": _unless(failed, [_label(code) for code in predicted[:, 0]]),
        "score": _unless(failed, score[:, 0].tolist()),
        "margin": _unless(failed, (score[:, 0] - score[:, 1]).tolist()),
        "entropy": _unless(failed, (-np.sum(score * np.log(score + 1e-9), axis=1)).tolist()),
        "top": _top(predicted, score, failed),
        "truth": [_class_id(code) for code in truth],
        "thumbnail": _unless(failed, [pictures[code] for code in chosen]),
    }
    schema = result_schema()
    columns |= {name: [None] * count for name in ADDED_IN_3}
    return pa.table({name: pa.array(columns[name], schema.field(name).type) for name in schema.names}, schema=schema)


def _predictions(truth: Codes, generator: np.random.Generator) -> tuple[Codes, Floats]:
    """Return predicted classes and scores, both of shape (count, TOP_K), best first."""
    count = len(truth)
    other = generator.choice(CLASSES, size=count, p=_frequencies())
    first = np.where(generator.random(count) < CORRECT_SHARE, truth, other)
    steps = np.arange(TOP_K) * generator.integers(1, 40, size=(count, 1))
    share = generator.dirichlet([4.0, 1.0, 0.6, 0.4, 0.3], size=count) * 0.98
    return (first[:, None] + steps) % CLASSES, -np.sort(-share, axis=1).astype(np.float32)


def _frequencies() -> npt.NDArray[np.float64]:
    weights = 1 / np.arange(1, CLASSES + 1)
    return weights / weights.sum()


def _top(predicted: Codes, score: Floats, failed: npt.NDArray[np.bool_]) -> pa.Array:
    flat = predicted[~failed].ravel().tolist()
    entries = pa.StructArray.from_arrays(
        [
            pa.array([_class_id(code) for code in flat]),
            pa.array([_label(code) for code in flat]),
            pa.array(score[~failed].ravel()),
        ],
        fields=list(TOP_TYPE.value_type),
    )
    offsets = np.concatenate([[0], np.cumsum(np.where(failed, 0, TOP_K))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), entries, mask=pa.array(failed))


def _unless(missing: npt.NDArray[np.bool_], values: list[Any]) -> list[Any]:
    return [None if gone else value for gone, value in zip(missing.tolist(), values, strict=True)]


def _class_id(code: int) -> str:
    return f"n{code:08d}"


def _label(code: int) -> str:
    return f"class_{code:03d}"


def _picture(generator: np.random.Generator, side: int) -> bytes:
    coarse = generator.integers(0, 256, size=(side // 8, side // 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _manifest(run_id: str, rows: int, errors: int) -> Manifest:
    counts = {"images": rows, "ok": rows - errors, "errors": errors, "excluded": 0, "computed": rows, "reused": 0}
    return Manifest(
        run_id=run_id,
        request_id=run_id,
        recipe_id=run_id,
        retry=0,
        config=RunConfig(images=f"/synthetic/{rows}", truth="folder").to_dict(),
        model={"name": "synthetic", "digest": "0" * 64, "classes": CLASSES, "height": 224, "width": 224},
        versions={},
        created_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:10:00+00:00",
        counts=counts,
        error_types={"truncated": errors},
        timings={"total": 600.0},
    )


def make_store(place: str | Path, sizes: dict[int, int]) -> dict[int, str]:
    """Write one run per entry of `sizes` (rows -> thumbnail side in pixels); return the run id by rows."""
    store = RunStore(place)
    return {rows: write_synthetic_run(store, rows, side) for rows, side in sizes.items()}
