"""Identity of requests, recipes and runs: the sha256 of canonical JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sparkcore.config import Fit, RunConfig
from sparkcore.schema import SCHEMA_VERSION

# Files and model enter by content, so that `./photos` and its absolute path are the same request, and the resize mode
# as the one in effect, so that "auto" is the same request as the mode it stands for.
# What `min_agreement` decides, the effective precision, enters a run's id.
_BY_CONTENT = ("images", "model", "weights", "labels", "preprocess", "resize", "sample", "seed", "min_agreement")
_FILTERS = ("min_width", "max_width", "min_height", "max_height", "min_channels", "max_channels")


def digest(value: Any) -> str:
    """Return the sha256 of a value's canonical JSON as hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def request_id(config: RunConfig, listing_digest: str, model_digest: str, fit: Fit, runtime: str) -> str:
    """Return the identity of a request: settings, resize mode in effect, content of files and model, and runtime."""
    settings = {name: value for name, value in config.to_dict().items() if name not in _BY_CONTENT}
    return digest([settings, listing_digest, model_digest, _fit(fit), runtime, SCHEMA_VERSION])


def recipe_id(config: RunConfig, model_digest: str, fit: Fit, computation: tuple[str, str]) -> str:
    """Return the identity of the processing of one image; equal recipes yield equal rows.

    `computation` is the runtime and the effective precision.
    """
    settings = {n: v for n, v in config.to_dict().items() if n not in (*_BY_CONTENT, *_FILTERS, "precision")}
    return digest([settings, model_digest, _fit(fit), computation, SCHEMA_VERSION])


def calibration_key(config: RunConfig, images: str, model_digest: str, fit: Fit) -> str:
    """Return what a model in int8 belongs to: the model in float32, its inputs, the images argument and the seed."""
    return digest(["int8", model_digest, _fit(fit), config.interpolation, config.reader, images, config.seed])


def comparison_key(precision: str, model_digest: str, processor: str) -> str:
    """Return what an agreement belongs to that needs no quantized model: the model and the kind of processor."""
    return digest([precision, model_digest, processor])


def _fit(fit: Fit) -> list[str | float]:
    return [fit.mode, fit.crop_ratio]


def run_id(request: str, precision: str, retry: int = 0) -> str:
    """Return the id of a run in its effective precision, 16 hexadecimal digits.

    A `retry` above 0 recomputes the images that failed.
    """
    return digest([request, precision, retry])[:16]
