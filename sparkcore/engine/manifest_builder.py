"""The manifest of a finished run, from its request, its tally and its receipts."""

from __future__ import annotations

import datetime as dt
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict
from importlib import metadata

from sparkcore.engine.request import Request
from sparkcore.engine.tally import Tally
from sparkcore.models.features import describe_features
from sparkcore.models.frozen import FrozenModel
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.receipts import Receipt, sum_counts
from sparkcore.version import __version__

_LIBRARIES = ("pyspark", "openvino", "tensorflow", "keras", "pillow", "numpy", "pyarrow")


def build_manifest(
    request: Request, frozen: FrozenModel, tally: Tally, receipts: Iterable[Receipt], started: float
) -> Manifest:
    """Return the manifest of a run whose buckets are all committed; `started` is in seconds since the epoch."""
    now = time.time()
    classify_s = tally.seconds["classify"]
    left_out = {name: getattr(request.listing, name) for name in ("links_left_out", "hidden_left_out")}
    work = {kind: tally.rows[kind] for kind in ("computed", "resumed", "reused")}
    counts, error_types = sum_counts(receipts)
    return Manifest(
        run_id=request.run_id,
        request_id=request.request_id,
        recipe_id=request.recipe_id,
        retry=request.retry,
        config=request.config.to_dict(),
        model=_model(request, frozen),
        versions=_versions(),
        created_at=_iso(started),
        finished_at=_iso(now),
        counts={"images": counts["ok"] + counts["errors"], **counts, **work, **left_out},
        error_types=dict(error_types),
        timings={name: round(spent_s, 3) for name, spent_s in {"total": now - started, **tally.seconds}.items()},
        agreement=request.calibration.statement() if request.calibration else {},
        images_per_second=_rate(tally.rows["computed"], now - started),
        images_per_second_no_load=_rate(tally.rows["computed"], classify_s - tally.load_wall_s),
    )


def _model(request: Request, frozen: FrozenModel) -> dict[str, object]:
    model = request.model
    facts = {name: getattr(model, name) for name in ("name", "digest", "source", "height", "width", "preprocess")}
    fit = {"resize": model.fit.mode, "crop_ratio": model.fit.crop_ratio}
    computation, classes = asdict(request.computation), len(model.classes)
    return {**facts, **fit, **computation, "classes": classes, "features": _features(request, frozen)}


def _features(request: Request, frozen: FrozenModel) -> dict[str, object]:
    if request.config.features == "none":
        return {"reason": "the run was started with --features none"}
    found = frozen.features
    shape = None if found is None else (found.height, found.width, found.channels)
    return describe_features(shape, with_maps=found is not None and found.has_head)


def _versions() -> dict[str, str]:
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {"sparkcore": __version__, "python": platform.python_version(), **libraries}


def _rate(images: int, seconds: float) -> float:
    return round(images / seconds, 2) if images and seconds > 0 else 0.0


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")
