"""Groups of classes: the path of each class, as in Animals > Dogs > Terriers, in at most three levels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from sparkcore.classes import imagenet_classes

GroupPath = tuple[str, ...]

LEVELS = 3
_SEPARATOR = " > "
_IMAGENET_FILE = Path(__file__).with_name("imagenet_groups.txt")


@cache
def imagenet_groups() -> Mapping[str, GroupPath]:
    """Return the group path of each class of ImageNet by its id.

    A line of the file is a path and the positions of its classes in `imagenet_classes`. Source: the hypernyms of
    WordNet 3.0 for animals; other things are grouped by use, with plain words in the place of WordNet's.
    """
    classes, found = imagenet_classes(), {}
    for line in _IMAGENET_FILE.read_text(encoding="utf-8").splitlines():
        path, _, positions = line.rpartition(": ")
        for position in _positions(positions):
            found[classes[position].class_id] = parse_path(path)
    return MappingProxyType(found)


def parse_path(text: str) -> GroupPath:
    """Return the names of a path's levels; empty for an empty text."""
    return tuple(name for part in text.split(_SEPARATOR.strip()) if (name := " ".join(part.split())))


def path_text(path: GroupPath) -> str:
    """Return a path as text, as in "Animals > Dogs"."""
    return _SEPARATOR.join(path)


def is_below(path: GroupPath, group: GroupPath) -> bool:
    """Tell whether a path is a group or lies below it."""
    return path[: len(group)] == group


def _positions(text: str) -> Iterator[int]:
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
