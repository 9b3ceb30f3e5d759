"""The typed content of `manifest.json`, the last file that a run writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sparkcore.config import Fit
from sparkcore.errors import RunFailedError

MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """Describe one finished run.

    `counts` has images, ok, errors, excluded, computed, reused; `error_types` counts errors by type; `timings` has
    seconds: total, list, start, classify, write and, summed over all workers, load, read, decode, predict, work (all
    of these in a worker's loop) and idle (what the workers had nothing to do while the run classified).
    `images_per_second` counts computed images over the whole run, `images_per_second_no_load` over the time from
    the first image read to the last part written.
    """

    run_id: str
    request_id: str
    recipe_id: str
    attempt: int
    config: dict[str, Any]
    model: dict[str, Any]
    versions: dict[str, str]
    created_at: str
    finished_at: str
    counts: dict[str, int]
    error_types: dict[str, int] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    images_per_second: float = 0.0
    images_per_second_no_load: float = 0.0
    version: int = MANIFEST_VERSION

    @property
    def fit(self) -> Fit:
        """Return the resize mode in effect; runs of 0.1 state it in their config alone."""
        return Fit(self.model.get("resize", self.config["resize"]), self.model.get("crop_ratio", 1.0))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can carry."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Manifest:
        """Build a manifest from `to_dict`'s values; raises RunFailedError for one of another version."""
        if values.get("version") != MANIFEST_VERSION:
            raise RunFailedError(
                f"Expected a manifest of version {MANIFEST_VERSION}, received {values.get('version')!r}. "
                "The run was written by another version of this program: repeat it."
            )
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})
