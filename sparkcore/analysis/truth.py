"""Matching of true labels with classes: the one place that decides whether a prediction is correct.

A true label is a text from a folder or file name. It names a class if it equals the class id or label ("n07747607",
"Orange"), or if it begins with the id as a word of its own ("n07747607_orange"). Comparison ignores case and the
difference between spaces, hyphens and underscores. Only an id with a digit counts as such a beginning: the class id
"cat" does not match "cat fish".
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.columns import Encoded, encode, top_blocks

Codes = npt.NDArray[np.int32]
_Class = tuple[str, str]  # class id, label
TOP_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Match:
    """Hold the true and the predicted class of every row as codes into `names` (-1: none).

    A name is the class's label, followed by the class id if two classes share the label. A true label that names no
    class of this table is a name of its own; its rows are `unseen`. A row is `judged` if it has both a true label
    and a prediction.
    """

    names: tuple[str, ...]
    truth: Codes
    prediction: Codes
    correct: npt.NDArray[np.bool_]
    judged: npt.NDArray[np.bool_]
    unseen: npt.NDArray[np.bool_]


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
    text: npt.NDArray[np.int64]
    prefix: npt.NDArray[np.int64]

    @classmethod
    def of(cls, values: tuple[str, ...]) -> _TruthKeys:
        vocabulary = _Vocabulary()
        texts = tuple(normalize(value) for value in values)
        prefixes = tuple(_leading_id(text) for text in texts)
        return cls(vocabulary, vocabulary.keys(texts, -1), vocabulary.keys(prefixes, -1))

    def hits(self, truth: Codes, class_id: Encoded, label: Encoded) -> npt.NDArray[np.bool_]:
        id_keys = self.vocabulary.keys(tuple(normalize(v) for v in class_id.values), -2)[class_id.codes]
        label_keys = self.vocabulary.keys(tuple(normalize(v) for v in label.values), -2)[label.codes]
        text = self.text[truth]
        return np.asarray((text == id_keys) | (text == label_keys) | (self.prefix[truth] == id_keys))


def normalize(text: str) -> str:
    """Return the text case-folded, with runs of spaces, hyphens and underscores as single spaces."""
    return re.sub(r"[\s_-]+", " ", text.casefold()).strip()


def is_correct(table: pa.Table) -> pa.Array:
    """Return for every row whether its prediction is correct; null without a true label or a prediction."""
    truth, class_id, label = (encode(table[name]) for name in ("truth", "class_id", "label"))
    keys = _TruthKeys.of(truth.values)
    judged = _judged(keys, truth, label)
    return pa.array(keys.hits(truth.codes, class_id, label), mask=~judged)


def in_top(table: pa.Table, depth: int = TOP_DEPTH) -> pa.Array:
    """Return for every row whether its first `depth` predictions hold the true label; null as in `is_correct`."""
    truth, label = encode(table["truth"]), encode(table["label"])
    keys = _TruthKeys.of(truth.values)
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
    keys = _TruthKeys.of(truth.values)
    correct = keys.hits(truth.codes, class_id, label)
    judged = _judged(keys, truth, label)
    classes, predicted = _predicted_classes(class_id, label)
    texts = [normalize(value) for value in truth.values]
    found = _find(texts, classes)
    if -1 in found:
        classes = _with_top_classes(table, classes)
        found = _find(texts, classes)
    names, found = _name(truth.values, texts, classes, found)
    named = np.array([*found, -1], dtype=np.int32)[truth.codes]
    truth_class = np.where(judged, np.where(correct, predicted, named), -1).astype(np.int32)
    return Match(names, truth_class, predicted, correct & judged, judged, truth_class >= len(classes))


def has_truth(table: pa.Table) -> bool:
    """Tell whether any image has a true label."""
    return "truth" in table.column_names and table["truth"].null_count < table.num_rows


def _leading_id(text: str) -> str:
    head, _, rest = text.partition(" ")
    return head if rest and any(character.isdigit() for character in head) else ""


def _without_id(value: str, text: str, taken: Set[str]) -> str:
    """Return the text without its leading id, or unchanged if it has none or another class is called the rest."""
    rest = re.split(r"[\s_-]+", value.strip(), maxsplit=1)[-1]
    return rest if _leading_id(text) and rest not in taken else value


def _judged(keys: _TruthKeys, truth: Encoded, label: Encoded) -> npt.NDArray[np.bool_]:
    return np.asarray((keys.text[truth.codes] >= 0) & (label.codes >= 0))


def _classes(class_id: Encoded, label: Encoded) -> list[_Class]:
    """Return every class id with its label; if any label has no class id, all labels follow as classes."""
    label_of_id = np.full(len(class_id.values) + 1, -1, dtype=np.int32)
    label_of_id[class_id.codes] = label.codes
    texts = (*label.values, "")
    classes = [(value, texts[label_of_id[code]] or value) for code, value in enumerate(class_id.values)]
    if ((class_id.codes < 0) & (label.codes >= 0)).any():
        classes += [("", value) for value in label.values]
    return classes


def _predicted_classes(class_id: Encoded, label: Encoded) -> tuple[list[_Class], Codes]:
    """Return the classes, and the code of the predicted one for every row (-1: none)."""
    by_label = np.where(label.codes >= 0, label.codes + len(class_id.values), -1)
    predicted = np.where(class_id.codes >= 0, class_id.codes, by_label)
    return _classes(class_id, label), np.where(label.codes >= 0, predicted, -1).astype(np.int32)


def _with_top_classes(table: pa.Table, classes: list[_Class]) -> list[_Class]:
    """Return `classes`, followed by those that appear in the top lists only."""
    seen = dict.fromkeys(classes)
    for block in top_blocks(table):
        seen.update(dict.fromkeys(_classes(block.class_id, block.label)))
    return list(seen)


def _find(texts: list[str], classes: list[_Class]) -> list[int]:
    """Return the class code that each normalized true label names, -1 for none."""
    by_id: dict[str, int] = {}
    by_label: dict[str, int] = {}
    for code, (class_id, label) in enumerate(classes):
        by_id.setdefault(normalize(class_id), code)
        by_label.setdefault(normalize(label), code)
    by_id.pop("", None)
    return [by_id.get(text, by_id.get(_leading_id(text), by_label.get(text, -1))) for text in texts]


def _name(
    values: tuple[str, ...], texts: list[str], classes: list[_Class], found: list[int]
) -> tuple[tuple[str, ...], list[int]]:
    """Return the names of all classes and of the true labels that name none, and the code of each true label."""
    ids_of_label: dict[str, set[str]] = {}
    for class_id, label in classes:
        if class_id:
            ids_of_label.setdefault(label, set()).add(class_id)
    names = [
        f"{label} ({class_id})" if class_id and len(ids_of_label[label]) > 1 else label for class_id, label in classes
    ]
    taken = set(names)
    new: dict[str, int] = {}
    for value, text, code in zip(values, texts, found, strict=True):
        if code < 0 and text not in new:
            new[text] = len(names)
            names.append(_without_id(value, text, taken))
            taken.add(names[-1])
    return tuple(names), [new[text] if code < 0 else code for text, code in zip(texts, found, strict=True)]
