"""Identity of requests, recipes and runs: the sha256 of canonical JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sparkcore.config import Fit, RunConfig
from sparkcore.schema import SCHEMA_VERSION

# Files and model enter by content, so that `./photos` and its absolute path are the same request, and the resize mode
# as the one in effect, so that "auto" is the same request as the mode it stands for.
_BY_CONTENT = ("images", "model", "weights", "labels", "preprocess", "resize", "sample", "seed")
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


def _fit(fit: Fit) -> list[str | float]:
    return [fit.mode, fit.crop_ratio]


def run_id(request: str, precision: str, retry: int = 0) -> str:
    """Return the id of a run in its effective precision, 16 hexadecimal digits.

    A `retry` above 0 recomputes the images that failed.
    """
    return digest([request, precision, retry])[:16]
