"""The typed content of `manifest.json`, the last file of a run to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any

from sparkcore.config import Fit
from sparkcore.errors import RunFailedError

MANIFEST_VERSION = 2
_READABLE_VERSIONS = (1, 2)  # version 1 is that of sparkcore 0.1

# The field types below -> the types that JSON gives them.
_JSON_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "dict": (dict,)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """Describe one finished run.

    `counts` has images, ok, errors, excluded, computed, resumed and reused, and since 0.2 links_left_out and
    hidden_left_out (see `engine.listing.Listing`); `error_types` counts errors by type.
    `timings` are in seconds: total, list, start, classify, compact and, summed over all workers, load, read, decode,
    predict, write, work (the whole loop of a worker) and idle (the time that workers waited while the run classified).
    `agreement` is what `Calibration.statement` says of a precision below float32, empty where float32 was asked for.
    `images_per_second` counts computed images over the whole run, `images_per_second_no_load` over the time from
    reading the first image to the last receipt.
    """

    run_id: str
    request_id: str
    recipe_id: str
    retry: int
    config: dict[str, Any]
    model: dict[str, Any]
    versions: dict[str, str]
    created_at: str
    finished_at: str
    counts: dict[str, int]
    error_types: dict[str, int] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    agreement: dict[str, Any] = field(default_factory=dict)
    images_per_second: float = 0.0
    images_per_second_no_load: float = 0.0
    version: int = MANIFEST_VERSION

    @property
    def fit(self) -> Fit:
        """Return the resize mode in effect; runs of 0.1 state it in their config alone."""
        return Fit(self.model.get("resize", self.config["resize"]), self.model.get("crop_ratio", 1.0))

    @property
    def left_out(self) -> str:
        """Return which files were not listed, as in "3 links, 1 hidden file"; empty if none were left out."""
        kinds = {"link": "links_left_out", "hidden file": "hidden_left_out"}
        counted = [(self.counts.get(name, 0), noun) for noun, name in kinds.items()]
        return ", ".join(f"{count:,} {noun}{'s' * (count > 1)}" for count, noun in counted if count)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Manifest:
        """Build a manifest from the values of `to_dict`, ignoring unknown ones.

        Raises RunFailedError for another version and for missing or mistyped fields.
        """
        if not isinstance(values, Mapping):
            raise RunFailedError(f"Expected a manifest as a JSON object, received {type(values).__name__}.")
        if values.get("version") not in _READABLE_VERSIONS:
            raise RunFailedError(
                f"Expected a manifest of version {MANIFEST_VERSION}, received {values.get('version')!r}. "
                "The run was written by another version of this program: repeat it."
            )
        values = {"retry": values.get("attempt"), **values} if values["version"] == 1 else values
        for field_ in fields(cls):
            _check_field(field_, values)
        return cls(**{field_.name: values[field_.name] for field_ in fields(cls) if field_.name in values})


def _check_field(field_: Field[Any], values: Mapping[str, Any]) -> None:
    if field_.name not in values:
        if field_.default is MISSING and field_.default_factory is MISSING:
            raise RunFailedError(f"Expected a manifest with the field {field_.name}, received one without it.")
        return
    kind = str(field_.type).partition("[")[0]
    if not isinstance(values[field_.name], _JSON_TYPES[kind]):
        received = type(values[field_.name]).__name__
        raise RunFailedError(f"Expected {kind} in the manifest's field {field_.name}, received {received}.")
