"""Matching of true labels with classes: the one place that decides whether a prediction is correct.

A true label is a text from a folder or file name. It names a class if it equals the class id, label or distinct name
("n07747607", "Orange", "crane (bird)"), or if it begins with the id as a word of its own ("n07747607_orange").
Comparison ignores case and the difference between spaces, hyphens and underscores. Only an id with a digit counts as
such a beginning: the class id "cat" does not match "cat fish".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.columns import Encoded, encode, top_blocks
from sparkcore.classes import ClassName, distinct_names, imagenet_classes, name_with_id, normalize, plain_labels
from sparkcore.runs.class_names import classes_of

Codes = npt.NDArray[np.int32]
TOP_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Match:
    """Hold the true and the predicted class of every row as codes into `names` and `class_ids` (-1: none).

    The first names are the model's classes: all of them if `is_complete`, else those that the rows mention. A true
    label that names none of these is a class of its own, named after ImageNet if it is an id of ImageNet; its rows
    are `unknown` to the model. A row is `judged` if it has both a true label and a prediction. `truth` is the true
    class of judged rows, `stated` that of all rows with a true label. A class without an id has the id "".
    """

    names: tuple[str, ...]
    class_ids: tuple[str, ...]
    is_complete: bool
    truth: Codes
    stated: Codes
    prediction: Codes
    correct: npt.NDArray[np.bool_]
    judged: npt.NDArray[np.bool_]
    unknown: npt.NDArray[np.bool_]


class _Vocabulary:
    """Number the distinct normalized texts; -1 and -2 stand for texts that match nothing."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def keys(self, texts: tuple[str, ...], nothing: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the texts, then `nothing`, which code -1 picks as the last entry."""
        numbers = [self._numbers.setdefault(t, len(self._numbers)) if t else nothing for t in texts]
        return np.array([*numbers, nothing], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _TruthKeys:
    vocabulary: _Vocabulary
    plain: dict[str, str]
    text: npt.NDArray[np.int64]
    prefix: npt.NDArray[np.int64]

    @classmethod
    def of(cls, values: tuple[str, ...], plain: dict[str, str]) -> _TruthKeys:
        vocabulary = _Vocabulary()
        texts = tuple(normalize(value) for value in values)
        prefixes = tuple(_leading_id(text) for text in texts)
        return cls(vocabulary, plain, vocabulary.keys(texts, -1), vocabulary.keys(prefixes, -1))

    def hits(self, truth: Codes, class_id: Encoded, label: Encoded) -> npt.NDArray[np.bool_]:
        ids, names = self._keys(class_id.values), self._keys(label.values)
        labels = self._keys(self.plain.get(value, value) for value in label.values)
        text, id_key = self.text[truth], ids[class_id.codes]
        is_named = (text == names[label.codes]) | (text == labels[label.codes])
        return np.asarray(is_named | (text == id_key) | (self.prefix[truth] == id_key))

    def _keys(self, values: Iterable[str]) -> npt.NDArray[np.int64]:
        return self.vocabulary.keys(tuple(normalize(value) for value in values), -2)


def is_correct(table: pa.Table) -> pa.Array:
    """Return for every row whether its prediction is correct; null without a true label or a prediction."""
    truth, class_id, label = (encode(table[name]) for name in ("truth", "class_id", "label"))
    keys = _TruthKeys.of(truth.values, _plain(table))
    judged = _judged(keys, truth, label)
    return pa.array(keys.hits(truth.codes, class_id, label), mask=~judged)


def in_top(table: pa.Table, depth: int = TOP_DEPTH) -> pa.Array:
    """Return for every row whether its first `depth` predictions hold the true label; null as in `is_correct`."""
    truth, label = encode(table["truth"]), encode(table["label"])
    keys = _TruthKeys.of(truth.values, _plain(table))
    found = np.zeros(table.num_rows, dtype=bool)
    for block in top_blocks(table):
        hits = keys.hits(truth.codes[block.rows], block.class_id, block.label) & (block.positions < depth)
        found[block.rows[hits]] = True
    return pa.array(found, mask=~_judged(keys, truth, label))


def match(table: pa.Table) -> Match:
    """Map the true label and the prediction of every row to one list of classes.

    A true label that fits several classes counts as the predicted one if that is among them.
    """
    truth, class_id, label = (encode(table[name]) for name in ("truth", "class_id", "label"))
    plain = _plain(table)
    keys = _TruthKeys.of(truth.values, plain)
    judged = _judged(keys, truth, label)
    correct = keys.hits(truth.codes, class_id, label) & judged
    texts = [normalize(value) for value in truth.values]
    classes, predicted, is_complete = _classes_and_predictions(table, class_id, label)
    found = _find(texts, classes, plain)
    if not is_complete and -1 in found:
        classes = _with_top_classes(table, classes)
        found = _find(texts, classes, plain)
    others, found = _name_others(truth.values, texts, found, distinct_names(classes))
    named = np.array([*found, -1], dtype=np.int32)[truth.codes]
    stated = np.where(correct, predicted, named).astype(np.int32)
    true_class = np.where(judged, stated, -1).astype(np.int32)
    return Match(
        names=(*distinct_names(classes), *(name for name, _ in others)),
        class_ids=(*(one.class_id for one in classes), *(class_id for _, class_id in others)),
        is_complete=is_complete,
        truth=true_class,
        stated=stated,
        prediction=predicted,
        correct=correct,
        judged=judged,
        unknown=true_class >= len(classes),
    )


def true_labels(table: pa.Table) -> pa.Array:
    """Return the name of the true class of every row; null where none is known."""
    if not has_truth(table):
        return pa.nulls(table.num_rows, pa.string())
    matched = match(table)
    return pa.array(matched.names, pa.string()).take(pa.array(matched.stated, mask=matched.stated < 0))


def has_truth(table: pa.Table) -> bool:
    """Tell whether any image has a true label."""
    return "truth" in table.column_names and table["truth"].null_count < table.num_rows


@cache
def _imagenet() -> dict[str, tuple[ClassName, str]]:
    """Return the class and the distinct name of every class of ImageNet by its id."""
    classes = imagenet_classes()
    return {one.class_id: (one, name) for one, name in zip(classes, distinct_names(classes), strict=True)}


def _plain(table: pa.Table) -> dict[str, str]:
    return {**plain_labels(imagenet_classes()), **plain_labels(classes_of(table))}


def _leading_id(text: str) -> str:
    head, _, rest = text.partition(" ")
    return head if rest and any(character.isdigit() for character in head) else ""


def _without_id(value: str, text: str, taken: Set[str]) -> str:
    """Return the text without its leading id, or unchanged if it has none or another class is called the rest."""
    rest = re.split(r"[\s_-]+", value.strip(), maxsplit=1)[-1]
    return rest if _leading_id(text) and rest not in taken else value


def _judged(keys: _TruthKeys, truth: Encoded, label: Encoded) -> npt.NDArray[np.bool_]:
    return np.asarray((keys.text[truth.codes] >= 0) & (label.codes >= 0))


def _classes(class_id: Encoded, label: Encoded) -> tuple[ClassName, ...]:
    """Return every class id with its label; if any label has no class id, all labels follow as classes."""
    label_of_id = np.full(len(class_id.values) + 1, -1, dtype=np.int32)
    label_of_id[class_id.codes] = label.codes
    texts = (*label.values, "")
    classes = [ClassName(value, texts[label_of_id[code]] or value) for code, value in enumerate(class_id.values)]
    if ((class_id.codes < 0) & (label.codes >= 0)).any():
        classes += [ClassName("", value) for value in label.values]
    return tuple(classes)


def _classes_and_predictions(
    table: pa.Table, class_id: Encoded, label: Encoded
) -> tuple[tuple[ClassName, ...], Codes, bool]:
    """Return the classes, the code of the predicted one for every row (-1: none), and whether all are known."""
    known = classes_of(table)
    place = {one.class_id: code for code, one in enumerate(known)}
    predicted = np.array([*(place.get(value, -1) for value in class_id.values), -1], dtype=np.int32)[class_id.codes]
    if known and ((predicted >= 0) | (label.codes < 0)).all():
        return known, predicted, True
    by_label = np.where(label.codes >= 0, label.codes + len(class_id.values), -1)
    predicted = np.where(class_id.codes >= 0, class_id.codes, by_label)
    return _classes(class_id, label), np.where(label.codes >= 0, predicted, -1).astype(np.int32), False


def _with_top_classes(table: pa.Table, classes: tuple[ClassName, ...]) -> tuple[ClassName, ...]:
    """Return `classes`, followed by those that appear in the top lists only."""
    seen = dict.fromkeys(classes)
    for block in top_blocks(table):
        seen.update(dict.fromkeys(_classes(block.class_id, block.label)))
    return tuple(seen)


def _find(texts: list[str], classes: tuple[ClassName, ...], plain: dict[str, str]) -> list[int]:
    """Return the class code that each normalized true label names, -1 for none."""
    by_id: dict[str, int] = {}
    by_label: dict[str, int] = {}
    for code, (one, name) in enumerate(zip(classes, distinct_names(classes), strict=True)):
        by_id.setdefault(normalize(one.class_id), code)
        for label in (name, one.label, plain.get(one.label, one.label)):
            by_label.setdefault(normalize(label), code)
    by_id.pop("", None)
    by_label.pop("", None)
    return [by_id.get(text, by_id.get(_leading_id(text), by_label.get(text, -1))) for text in texts]


def _name_others(
    values: tuple[str, ...], texts: list[str], found: list[int], names: tuple[str, ...]
) -> tuple[list[tuple[str, str]], list[int]]:
    """Return name and class id of the true labels that name no class, and the code of each true label."""
    taken, others, codes = set(names), list[tuple[str, str]](), dict[str, int]()
    for value, text in ((value, text) for value, text, code in zip(values, texts, found, strict=True) if code < 0):
        known = _imagenet().get(text) or _imagenet().get(_leading_id(text))
        key = known[0].class_id if known else text
        if text and key not in codes:
            name = known[1] if known else _without_id(value, text, taken)
            if known and name in taken:
                name = name_with_id(known[0])
            codes[key] = codes[text] = len(names) + len(others)
            others.append((name, known[0].class_id if known else ""))
            taken.add(name)
        elif text:
            codes[text] = codes[key]
    return others, [codes.get(text, -1) if code < 0 else code for text, code in zip(texts, found, strict=True)]
