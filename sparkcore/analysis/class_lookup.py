"""From what people write to a class of a run's model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.reviewed import CANNOT_TELL, NOT_IN_ANY_CLASS
from sparkcore.classes import ClassName, distinct_names, normalize
from sparkcore.errors import RequestError
from sparkcore.reviews.review import CLASS, NONE, UNSURE, Answer
from sparkcore.runs.class_names import classes_of

_KINDS = {normalize(NOT_IN_ANY_CLASS): NONE, normalize(CANNOT_TELL): UNSURE}


@dataclass(frozen=True, slots=True)
class ClassLookup:
    """Hold all classes of a run with one name each; `is_complete` where the run has kept all of its model's."""

    classes: tuple[ClassName, ...]
    is_complete: bool
    by_text: Mapping[str, Sequence[ClassName]]

    @classmethod
    def of(cls, table: pa.Table) -> ClassLookup:
        """Return the classes of a result; where they were not kept, those that it predicts anywhere."""
        known = classes_of(table)
        named = tuple(map(ClassName, (one.class_id for one in known), distinct_names(known))) or _predicted(table)
        return cls(named, bool(known), _by_text(named))

    def answer(self, text: str) -> Answer:
        """Return what a text says: a class by id or words, "not in any class", "cannot tell", or a new class.

        Raises RequestError for an empty text and for words that several classes share.
        """
        wanted = normalize(text)
        if not wanted:
            raise RequestError("label: expected a class id or words, received an empty text.")
        if wanted in _KINDS:
            return Answer(_KINDS[wanted])
        found = self.by_text.get(wanted, ())
        if len(found) > 1:
            ids = " or ".join(one.class_id or one.label for one in found)
            raise RequestError(f"label: expected one class, received {text!r}, which is {ids}. Name its id.")
        return Answer(CLASS, found[0].label, found[0].class_id) if found else Answer(CLASS, text)


def _by_text(classes: tuple[ClassName, ...]) -> dict[str, list[ClassName]]:
    """Return the classes by id, else by words, else by words without their sense, as in "crane (bird)"."""
    ids: dict[str, list[ClassName]] = {}
    words, plain = defaultdict[str, list[ClassName]](list), defaultdict[str, list[ClassName]](list)
    for one in classes:
        if one.class_id:
            ids[normalize(one.class_id)] = [one]
        words[normalize(one.label)].append(one)
        plain[normalize(one.label.partition(" (")[0].partition(" \N{MIDDLE DOT} ")[0])].append(one)
    return {**plain, **words, **ids}


def _predicted(table: pa.Table) -> tuple[ClassName, ...]:
    entries = pc.list_flatten(table["top"]).combine_chunks()
    kept = pa.table({name: pc.struct_field(entries, name) for name in ("class_id", "label")})
    rows = kept.group_by(["class_id", "label"]).aggregate([]).to_pylist()
    return tuple(sorted(ClassName(row["class_id"] or "", row["label"]) for row in rows))
