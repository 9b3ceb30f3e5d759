"""The manifest of a finished run, from its request, its tally and its rows."""

from __future__ import annotations

import datetime as dt
import platform
import time
from importlib import metadata

import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.engine.request import Request
from sparkcore.engine.tally import Tally
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_ERROR
from sparkcore.version import __version__

_LIBRARIES = ("pyspark", "tensorflow", "keras", "pillow", "numpy", "pyarrow")


def build_manifest(request: Request, tally: Tally, store: RunStore, started: float) -> Manifest:
    """Return the manifest of a run whose parts are all written; `started` is in seconds since the epoch."""
    now, run_id = time.time(), request.run_id
    counts, error_types = _count_rows(store, run_id)
    counts |= {kind: tally.counts.get(kind, 0) for kind in ("computed", "resumed", "reused")}
    computed = counts["computed"]
    return Manifest(
        run_id=run_id,
        request_id=request.request_id,
        recipe_id=request.recipe_id,
        attempt=request.attempt,
        config=request.config.to_dict(),
        model=_model(request),
        versions=_versions(),
        created_at=_iso(started),
        finished_at=_iso(now),
        counts={**counts, **{name: getattr(request.listing, name) for name in ("links_left_out", "hidden_left_out")}},
        error_types=error_types,
        timings={name: round(s, 3) for name, s in {"total": now - started, **tally.seconds}.items()},
        images_per_second=_rate(computed, now - started),
        images_per_second_no_load=_rate(
            computed, tally.seconds.get("classify", 0.0) - tally.seconds.get("load_wall", 0.0)
        ),
    )


def _model(request: Request) -> dict[str, object]:
    model = request.model
    facts = {name: getattr(model, name) for name in ("name", "digest", "source", "height", "width", "preprocess")}
    return {**facts, "resize": model.fit.mode, "crop_ratio": model.fit.crop_ratio, "classes": len(model.classes)}


def _count_rows(store: RunStore, run_id: str) -> tuple[dict[str, int], dict[str, int]]:
    rows = read_parts(store, run_id, ["status", "error_type"])
    types = pc.value_counts(rows["error_type"].combine_chunks().drop_null()).to_pylist()
    errors = pc.sum(pc.equal(rows["status"], STATUS_ERROR)).as_py() or 0
    excluded = sum(pq.read_metadata(path).num_rows for path in store.excluded(run_id))
    counts = {"images": rows.num_rows, "ok": rows.num_rows - errors, "errors": errors, "excluded": excluded}
    return counts, {entry["values"]: entry["counts"] for entry in types}


def _versions() -> dict[str, str]:
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {"sparkcore": __version__, "python": platform.python_version(), **libraries}


def _rate(images: int, seconds: float) -> float:
    return round(images / seconds, 2) if images and seconds > 0 else 0.0


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")
