"""Filters on the rows of a result, as a value that converts to and from a URL's query."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from sparkcore.groups import parse_path
from sparkcore.imaging.lettering import display_name
from sparkcore.schema import ERROR_TYPES, STATUS_ERROR, STATUS_OK

Range = tuple[float | None, float | None]

CORRECT = "correct"
INCORRECT = "incorrect"
REVIEWED, UNREVIEWED, STARRED = "reviewed", "unreviewed", "starred"
RANGE_FIELDS = ("score", "margin", "entropy", "width", "height")

# Field name -> query key, where they differ.
_KEYS = {"labels": "label", "groups": "group", "errors": "error", "image_ids": "id", "tags": "tag"}
_LABELS_SHOWN = 3


class Area(NamedTuple):
    """The sides of a part of the map, from 0 to 1; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Filters:
    """Hold the conditions that a row must meet; an empty field is no condition.

    `find` searches labels and groups by words; `groups` are paths, as in "Animals > Dogs", and one is enough. Ranges
    include both ends and are open where an end is None; `width` and `height` are in pixels. `name` is a
    case-insensitive part of the file name. `correct` is CORRECT or INCORRECT. `pair` is (true class, predicted class)
    by the names of `truth.match`; `top_two` is (label of the first prediction, label of the second). `review` is
    REVIEWED, UNREVIEWED or STARRED; one of the `tags` is enough. `area` is a part of the map.
    """

    find: str = ""
    groups: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    score: Range | None = None
    margin: Range | None = None
    entropy: Range | None = None
    status: str | None = None
    errors: tuple[str, ...] = ()
    name: str = ""
    width: Range | None = None
    height: Range | None = None
    correct: str | None = None
    pair: tuple[str, str] | None = None
    top_two: tuple[str, str] | None = None
    image_ids: tuple[str, ...] = ()
    review: str | None = None
    tags: tuple[str, ...] = ()
    area: Area | None = None

    def to_query(self) -> dict[str, list[str]]:
        """Return the fields that are set, as lists of texts by query key."""
        query = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value:
                query[_KEYS.get(field.name, field.name)] = _texts(field.name, value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str | Sequence[str]]) -> Filters:
        """Build filters from the texts of `to_query`; unknown keys and invalid values are ignored."""
        values: dict[str, Any] = {}
        for name, parse in _PARSERS.items():
            given = query.get(_KEYS.get(name, name), ())
            parsed = parse([given] if isinstance(given, str) else list(given))
            if parsed:
                values[name] = parsed
        return cls(**values)

    def without(self, field: str) -> Filters:
        """Return the filters with one field cleared."""
        return Filters(**{f.name: getattr(self, f.name) for f in fields(self) if f.name != field})


# The query keys of `Filters.to_query`.
FILTER_KEYS = tuple(_KEYS.get(field.name, field.name) for field in fields(Filters))


def describe(filters: Filters) -> list[tuple[str, str]]:
    """Return (field name, description for people) for every field that is set."""
    return [(f.name, _describe_field(f.name, value)) for f in fields(filters) if (value := getattr(filters, f.name))]


def _describe_field(name: str, value: Any) -> str:
    if name in RANGE_FIELDS:
        return f"{name} {_describe_range(value, percent=name == 'score')}"
    return _DESCRIPTIONS[name](value)


def _describe_range(value: Range, percent: bool) -> str:
    low, high = (None if end is None else f"{100 * end:.4g} %" if percent else f"{end:,.6g}" for end in value)
    if low is None or high is None:
        return f"from {low}" if high is None else f"up to {high}"
    return f"{low} to {high}"


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(display_name(text) for text in texts[:_LABELS_SHOWN])
    rest = len(texts) - _LABELS_SHOWN
    return shown if rest <= 0 else f"{shown} or {rest} more"


def _texts(name: str, value: Any) -> list[str]:
    if name in RANGE_FIELDS:
        return ["" if end is None else f"{end:.9g}" for end in value]
    if name == "area":
        return [f"{side:.4g}" for side in value]
    return [value] if isinstance(value, str) else list(value)


def _parse_range(texts: list[str]) -> Range | None:
    if len(texts) != 2:
        return None
    try:
        low, high = (float(text) if text.strip() else None for text in texts)
    except ValueError:
        return None
    if any(end is not None and not math.isfinite(end) for end in (low, high)):
        return None
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        return None
    return low, high


def _one_of(choices: Sequence[str]) -> Callable[[list[str]], str | None]:
    return lambda texts: texts[0] if len(texts) == 1 and texts[0] in choices else None


def _many(accept: Callable[[str], bool]) -> Callable[[list[str]], tuple[str, ...]]:
    return lambda texts: tuple(dict.fromkeys(text for text in texts if accept(text)))


def _parse_pair(texts: list[str]) -> tuple[str, str] | None:
    return (texts[0], texts[1]) if len(texts) == 2 and all(texts) else None


def parse_area(texts: Sequence[str]) -> Area | None:
    """Return the part of the map that four texts describe; None where they describe none."""
    try:
        left, top, right, bottom = (float(text) for text in texts)
    except ValueError:
        return None
    return Area(left, top, right, bottom) if 0 <= left < right <= 1 and 0 <= top < bottom <= 1 else None


_PARSERS: dict[str, Callable[[list[str]], Any]] = {
    "find": lambda texts: texts[0] if len(texts) == 1 else "",
    "groups": _many(lambda text: bool(parse_path(text))),
    "labels": _many(bool),
    **dict.fromkeys(RANGE_FIELDS, _parse_range),
    "status": _one_of((STATUS_OK, STATUS_ERROR)),
    "errors": _many(ERROR_TYPES.__contains__),
    "name": lambda texts: texts[0] if len(texts) == 1 else "",
    "correct": _one_of((CORRECT, INCORRECT)),
    "pair": _parse_pair,
    "top_two": _parse_pair,
    "image_ids": _many(lambda text: re.fullmatch(r"[0-9a-f]{16}", text) is not None),
    "review": _one_of((REVIEWED, UNREVIEWED, STARRED)),
    "tags": _many(bool),
    "area": parse_area,
}

_DESCRIPTIONS: dict[str, Callable[[Any], str]] = {
    "find": lambda value: f"label or group like “{value}”",
    "groups": lambda value: _listed([parse_path(text)[-1] for text in value]),
    "labels": lambda value: "label " + _listed(value),
    "status": lambda value: "readable" if value == STATUS_OK else "unreadable",
    "errors": lambda value: "problem " + _listed(value),
    "name": lambda value: f"file name contains “{value}”",
    "correct": lambda value: f"prediction {value}",
    "pair": lambda value: "true label {}, prediction {}".format(*map(display_name, value)),
    "top_two": lambda value: "first prediction {}, second {}".format(*map(display_name, value)),
    "review": {REVIEWED: "reviewed", UNREVIEWED: "not reviewed", STARRED: "with a star"}.__getitem__,
    "tags": lambda value: "tag " + _listed(value),
    "area": lambda _value: "part of the map",
    "image_ids": lambda value: "1 selected image" if len(value) == 1 else f"{len(value):,} selected images",
}
