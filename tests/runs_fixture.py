"""Small finished runs for tests, written like those of the engine, with thumbnails of drawn pictures."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from benchmarks.finished_run import write_finished_run
from sparkcore.config import RunConfig
from sparkcore.imaging.quality import measure
from sparkcore.imaging.thumbnail import shrink, thumbnail
from sparkcore.origins import origin_of
from sparkcore.runs.layout import run_folder
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_ERROR, STATUS_EXCLUDED, STATUS_OK, result_schema

LABELS = (("n01", "apple"), ("n02", "banana"), ("n03", "cherry pie"), ("n04", "date_palm"), ("n05", "elderberry"))
INPUT = {"height": 64, "width": 64, "resize": "stretch", "crop_ratio": 1.0}
COLORS = ((200, 40, 40), (230, 200, 60), (120, 20, 60), (60, 120, 60), (70, 50, 120))
FEATURES = {"feature_map": [2, 2, 8], "embedding": 8, "activation": [2, 2]}
_START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """Describe a run; every `error_every`-th image is unreadable (0: none).

    `shift` moves the predicted label of every fifth image by that many classes, to make runs that differ.
    """

    rows: int = 30
    truth: bool = True
    error_every: int = 10
    shift: int = 0
    model: str = "efficientnet_lite0"
    day: int = 0
    rows_per_part: int = 20
    images: str = "/photos"
    features: bool = True


def write_run(store: Path | RunStore, made: Made | None = None, **changes: Any) -> str:
    """Write a finished run and return its id; `changes` are fields of `Made`.

    Of every ten images with a true label, seven predictions are correct. Scores fall evenly from the first row to the
    last.
    """
    made = made or Made(**changes)
    store = store if isinstance(store, RunStore) else RunStore(store)
    rows = [_row(number, made) for number in range(made.rows)]
    config = RunConfig(images=made.images, model=made.model, truth="folder" if made.truth else "none")
    run_id = hashlib.sha256(repr(made).encode()).hexdigest()[:16]
    write_rows(store, _manifest(run_id, made, config, rows), rows, made.rows_per_part)
    return run_id


def write_rows(store: RunStore, manifest: Manifest, rows: Sequence[dict[str, Any]], rows_per_part: int = 20) -> None:
    """Write a finished run of these rows, sorted by image_id, as the workers and the driver do."""
    schema = result_schema(tuple(manifest.config["keep"]))
    ordered = sorted(rows, key=lambda row: str(row["image_id"]))
    starts = range(0, len(ordered), rows_per_part)
    tables = (pa.Table.from_pylist(ordered[start : start + rows_per_part], schema=schema) for start in starts)
    images = sum(row["status"] != STATUS_EXCLUDED for row in rows)
    write_finished_run(store, replace(manifest, counts={**manifest.counts, "images": images}), tables)


def write_0_1_run(store: RunStore, manifest: Manifest, *parts: Sequence[dict[str, Any]]) -> None:
    """Write a finished run of version 0.1: all columns of that time in part files, in any order."""
    schema = pa.schema([field for field in result_schema() if field.name != "version"])
    folder = run_folder(manifest.run_id)
    for number, rows in enumerate(parts):
        with store.storage.open_writer(f"{folder}/results/part-{number:05d}.parquet") as file:
            pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), file, row_group_size=2)
    values = {**manifest.to_dict(), "version": 1, "attempt": manifest.retry}
    del values["retry"]
    store.storage.write(f"{folder}/manifest.json", json.dumps(values).encode())


def picture(number: int) -> Image.Image:
    """Return the picture of a row: an ellipse or a rectangle in the color of its true class."""
    width, height = 160 + 8 * (number % 9), 120 + 10 * (number % 7)
    image = Image.new("RGB", (width, height), (235, 236, 238))
    box = (20, 20, width - 20, height - 20)
    draw = ImageDraw.Draw(image)
    (draw.ellipse if number % 2 else draw.rectangle)(box, fill=COLORS[number % len(COLORS)])
    return image


def _row(number: int, made: Made) -> dict[str, Any]:
    true_id, _ = LABELS[number % len(LABELS)]
    origin = origin_of(f"{made.images}/{true_id}/image-{number:04d}.jpg")
    row: dict[str, Any] = {
        "image_id": f"{hashlib.sha256(made.images.encode()).hexdigest()[:8]}{number:08x}",  # so rows keep this order
        "origin": origin,
        "file_name": origin.rsplit("/", 1)[-1],
        "size_bytes": 1000 + 37 * number,
        "modified_at": _START + timedelta(minutes=number),
        "truth": true_id if made.truth else None,
    }
    if made.error_every and number % made.error_every == made.error_every - 1:
        error = ("truncated", "empty")[number // made.error_every % 2]
        return {**row, "status": STATUS_ERROR, "error_type": error, "error_message": f"Row {number}: {error}."}
    return {**row, **_classified(number, made)}


def _classified(number: int, made: Made) -> dict[str, Any]:
    image = picture(number)
    wrong = number % 10 in (2, 5, 8)
    first = (number + wrong + (made.shift if number % 5 == 0 else 0)) % len(LABELS)
    score = 0.99 - 0.6 * number / max(made.rows, 1)
    rest = (1 - score) / (len(LABELS) - 1)
    order = [(first + step) % len(LABELS) for step in range(len(LABELS))]
    scores = [score, *[rest] * (len(LABELS) - 1)]
    top = [
        {"class_id": LABELS[code][0], "label": LABELS[code][1], "score": value}
        for code, value in zip(order, scores, strict=True)
    ]
    return {
        "format": "JPEG",
        "mode": "RGB",
        "width": image.width,
        "height": image.height,
        "channels": 3,
        "status": STATUS_OK,
        "class_id": top[0]["class_id"],
        "label": top[0]["label"],
        "score": score,
        "margin": score - rest,
        "entropy": -sum(value * math.log(value) for value in scores),
        "top": top,
        **measure(shrink(image))._asdict(),
        "content_hash": f"{number:032x}",
        "thumbnail": thumbnail(image),
        **(_features(number) if made.features else {}),
    }


def _features(number: int) -> dict[str, bytes]:
    """Return an embedding near those of the same true class, and maps whose strongest place is the first one."""
    embedding = np.eye(8)[number % len(LABELS)] + 0.02 * np.eye(8)[5 + number % 3] * (1 + number // 15)
    maps = np.full((len(LABELS), 2, 2), 128, np.uint8)
    maps[:, 0, 0] = [255, 160, 120, 110, 100]
    return {
        "embedding": (embedding / np.linalg.norm(embedding)).astype(np.float16).tobytes(),
        "activation": maps.tobytes(),
    }


def _manifest(run_id: str, made: Made, config: RunConfig, rows: list[dict[str, Any]]) -> Manifest:
    errors = [row["error_type"] for row in rows if row["status"] == STATUS_ERROR]
    when = _START + timedelta(days=made.day)
    return Manifest(
        run_id=run_id,
        request_id="request",
        recipe_id="recipe",
        retry=0,
        config=config.to_dict(),
        model={
            "name": made.model,
            "digest": "0" * 64,
            "source": "built in",
            **INPUT,
            "classes": 5,
            "features": FEATURES if made.features else {"reason": "the run was started with --features none"},
        },
        versions={"sparkcore": "0.1.0", "pyspark": "4.3.0", "tensorflow": "2.21.0"},
        created_at=when.isoformat(),
        finished_at=(when + timedelta(seconds=12)).isoformat(),
        counts={
            "images": len(rows),
            "ok": len(rows) - len(errors),
            "errors": len(errors),
            "excluded": 0,
            "computed": len(rows),
            "resumed": 0,
            "reused": 0,
        },
        error_types={name: errors.count(name) for name in sorted(set(errors))},
        timings={"total": 12.0, "read": 0.5, "decode": 1.0, "predict": 8.0, "write": 0.5},
        images_per_second=len(rows) / 12,
        images_per_second_no_load=len(rows) / 9,
    )
