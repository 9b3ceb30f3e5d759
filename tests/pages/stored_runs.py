"""Finished runs of a few rows whose numbers are known by heart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from sparkcore.config import RunConfig
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore
from tests.analysis.tables import failed, row
from tests.runs_fixture import INPUT, write_rows

RUN = "0123456789abcdef"
OTHER_RUN = "fedcba9876543210"

# Three cats, of which one is taken for a dog and one for an owl; two dogs, both right; two broken files.
_ROWS = [
    row("a.jpg", ("n1", "cat", 0.9), ("n2", "dog", 0.05), truth="cat"),
    row("b.jpg", ("n2", "dog", 0.8), ("n1", "cat", 0.15), truth="cat"),
    row("c.jpg", ("n3", "owl", 0.4), ("n1", "cat", 0.3), truth="cat"),
    row("d.jpg", ("n2", "dog", 0.7), ("n1", "cat", 0.2), truth="dog"),
    row("e.jpg", ("n2", "dog", 0.6), ("n3", "owl", 0.3), truth="dog"),
    failed("f.jpg", "truncated", "The file ends after 12 bytes.", size_bytes=12),
    failed("=g.jpg", "empty", "The file is empty.", size_bytes=0),
]
ROWS = [{**values, "image_id": f"{number:016x}"} for number, values in enumerate(_ROWS)]  # a run is sorted by image_id


def without_truth(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a run that knows no truth."""
    return [{**values, "truth": None} for values in rows]


def store_run(
    store: RunStore | Path, rows: list[dict[str, Any]] | None = None, run_id: str = RUN, **config: Any
) -> tuple[RunStore, Manifest]:
    """Write a finished run; its pictures are plain gray."""
    store = store if isinstance(store, RunStore) else RunStore(store)
    rows = ROWS if rows is None else rows
    picture = _picture()
    rows = [{"size_bytes": 2048, "width": 40, "height": 30, **values} for values in rows]
    rows = [{**values, "thumbnail": picture if values["status"] == "ok" else None} for values in rows]
    errors = [values["error_type"] for values in rows if values["status"] != "ok"]
    manifest = Manifest(
        run_id=run_id,
        request_id="request",
        recipe_id="recipe",
        retry=0,
        config=RunConfig(**{"images": "/data/animals", "model": "efficientnet_lite0", **config}).to_dict(),
        model={"name": "efficientnet_lite0", "digest": "0" * 64, **INPUT},
        versions={"sparkcore": "0.1.0"},
        created_at="2026-01-02T03:00:00+00:00",
        finished_at="2026-01-02T03:04:05+00:00",
        counts={"images": len(rows), "ok": len(rows) - len(errors), "errors": len(errors), "excluded": 0},
        error_types={name: errors.count(name) for name in sorted(set(errors))},
    )
    write_rows(store, manifest, rows)
    return store, manifest


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (128, 128, 128)).save(buffer, "JPEG")
    return buffer.getvalue()
