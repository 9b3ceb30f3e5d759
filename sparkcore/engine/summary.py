"""What a run adds up to: its counts, its seconds and its manifest."""

from __future__ import annotations

import datetime as dt
import platform
import time
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore import __version__
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.results import read_parts
from sparkcore.runs.store import RunStore
from sparkcore.schema import STATUS_ERROR

if TYPE_CHECKING:
    from sparkcore.engine.execution import Execution

_LIBRARIES = ("pyspark", "tensorflow", "keras", "pillow", "numpy", "pyarrow")


@dataclass(slots=True)
class Tally:
    """Count images by how they were got (computed, resumed, reused), seconds by what they went into, and errors."""

    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    errors: int = 0

    @property
    def images(self) -> int:
        """Return how many images are done."""
        return sum(self.counts.values())

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for kind, images in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + images
        for name, spent in other.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
        self.errors += other.errors


def make_manifest(execution: Execution, started: float) -> Manifest:
    """Return the manifest of a run whose parts are all written; `started` is in seconds since the epoch."""
    model, tally, now = execution.model, execution.tally, time.time()
    counts, error_types = _count_rows(execution.store, execution.run_id)
    computed = tally.counts.get("computed", 0)
    classify_s = tally.seconds.get("classify", 0.0)
    return Manifest(
        run_id=execution.run_id,
        request_id=execution.request,
        recipe_id=execution.recipe,
        attempt=execution.attempt,
        config=execution.config.to_dict(),
        model={
            "name": model.name,
            "digest": model.digest,
            "source": model.source,
            "height": model.height,
            "width": model.width,
            "preprocess": model.preprocess,
            "classes": len(model.classes),
        },
        versions=_versions(),
        created_at=_iso(started),
        finished_at=_iso(now),
        counts={**counts, **{kind: tally.counts.get(kind, 0) for kind in ("computed", "resumed", "reused")}},
        error_types=error_types,
        timings={name: round(s, 3) for name, s in {"total": now - started, **tally.seconds}.items()},
        images_per_second=_rate(computed, now - started),
        images_per_second_no_load=_rate(computed, classify_s - tally.seconds.get("load_wall", 0.0)),
    )


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
