"""Class names: those of ImageNet, and names that tell the classes of a model apart."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

_IMAGENET_FILE = Path(__file__).with_name("imagenet_classes.txt")

# What the classes of ImageNet are that share a label, after their definitions in WordNet.
_SENSES = {
    "n02012849": "bird",  # crane
    "n03126707": "machine",
    "n02113186": "dog",  # Cardigan
    "n02963159": "garment",
    "n03710637": "tights",  # maillot
    "n03710721": "tank suit",
}


class ClassName(NamedTuple):
    """Name one output of a classifier: a unique id and a human-readable label, which may repeat (two cranes)."""

    class_id: str
    label: str


@cache
def imagenet_classes() -> tuple[ClassName, ...]:
    """Return the 1,000 classes of ILSVRC 2012 in the order of every `keras.applications` model's outputs."""
    lines = _IMAGENET_FILE.read_text(encoding="utf-8").splitlines()
    return tuple(ClassName(*line.split(" ", 1)) for line in lines)


def normalize(text: str) -> str:
    """Return the text case-folded, with runs of spaces, hyphens and underscores as single spaces."""
    return re.sub(r"[\s_-]+", " ", text.casefold()).strip()


@lru_cache(maxsize=16)
def distinct_names(classes: tuple[ClassName, ...]) -> tuple[str, ...]:
    """Return one name per class, all different: its label, with its sense or else its id where the label repeats.

    Labels that differ only in case, spaces, hyphens or underscores count as one. A class without an id keeps its label.
    """
    counts = Counter(normalize(one.label) for one in classes if one.class_id)
    names = [one.label if counts[normalize(one.label)] <= 1 else _with_sense(one) for one in classes]
    again = Counter(name for name, one in zip(names, classes, strict=True) if one.class_id)
    return tuple(name if again[name] <= 1 else name_with_id(one) for name, one in zip(names, classes, strict=True))


def name_with_id(one: ClassName) -> str:
    """Return label and id of a class, the last resort where labels alone are ambiguous."""
    return f"{one.label} · {one.class_id}" if one.class_id else one.label


def plain_labels(classes: tuple[ClassName, ...]) -> dict[str, str]:
    """Return the label behind each name of `distinct_names` that differs from its label."""
    pairs = zip(distinct_names(classes), classes, strict=True)
    return {name: one.label for name, one in pairs if name != one.label}


def _with_sense(one: ClassName) -> str:
    if one.class_id in ("", one.label):  # the label is the id, thus unique
        return one.label
    sense = _SENSES.get(one.class_id)
    return f"{one.label} ({sense})" if sense else name_with_id(one)
