"""A review: what one person said of some pictures at one time, and what all reviews of a picture come to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

# Kinds of an answer to "what is on this picture?"; OPEN takes an answer back.
CLASS, NONE, UNSURE, OPEN = "class", "none", "unsure", "open"
KINDS = (CLASS, NONE, UNSURE, OPEN)
LONGEST_LABEL = 200
LONGEST_TAG = 60
LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what is on a picture: one of KINDS and, for CLASS, a label with its class id ("" for a new class)."""

    kind: str
    label: str = ""
    class_id: str = ""

    def __post_init__(self) -> None:
        label = " ".join(self.label.split())[:LONGEST_LABEL]
        if self.kind not in KINDS or bool(label) != (self.kind == CLASS):
            raise ValueError(f"Expected a kind of {', '.join(KINDS)}, a label for class alone, received {self!r}.")
        object.__setattr__(self, "label", label)


@dataclass(frozen=True, slots=True)
class Change:
    """Hold what a review says; None and () say nothing, an empty note removes the note."""

    answer: Answer | None = None
    star: bool | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    note: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "add_tags", clean_tags(self.add_tags))
        object.__setattr__(self, "remove_tags", clean_tags(self.remove_tags))
        if self.note is not None:
            object.__setattr__(self, "note", self.note.strip()[:LONGEST_NOTE])

    def to_dict(self) -> dict[str, Any]:
        """Return what is said, as values of JSON."""
        answer = self.answer and {
            "kind": self.answer.kind,
            "label": self.answer.label,
            "class_id": self.answer.class_id,
        }
        values = {
            "answer": answer,
            "star": self.star,
            "add_tags": list(self.add_tags) or None,
            "remove_tags": list(self.remove_tags) or None,
            "note": self.note,
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Change:
        """Build a change from the values of `to_dict`; raises ValueError, TypeError or KeyError for others."""
        answer = values.get("answer")
        return cls(
            answer=answer and Answer(str(answer["kind"]), str(answer["label"]), str(answer["class_id"])),
            star=None if values.get("star") is None else bool(values["star"]),
            add_tags=tuple(map(str, values.get("add_tags", ()))),
            remove_tags=tuple(map(str, values.get("remove_tags", ()))),
            note=None if values.get("note") is None else str(values["note"]),
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """Name a picture by its keys, the best one first (`pictures.picture_keys`); `origin` is for display."""

    keys: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one change and the pictures that it is about."""

    change: Change
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """Hold what one person did in one step; `undoes` is the id of the review that it takes back.

    Ids begin with the time, so that they sort by it. `at` is in UTC, to the microsecond.
    """

    review_id: str
    at: str
    by: str
    entries: tuple[Entry, ...] = ()
    undoes: str = ""

    @classmethod
    def now(cls, by: str, entries: Iterable[Entry] = (), undoes: str = "") -> Review:
        """Return a review of this moment."""
        moment = datetime.now(UTC)
        name = f"{moment:%Y%m%dT%H%M%S%f}Z-{uuid.uuid4().hex}"
        return cls(name, moment.isoformat(timespec="microseconds"), by, tuple(entries), undoes)

    def to_json(self) -> bytes:
        """Return the content of the review's object."""
        entries = [
            {
                "change": entry.change.to_dict(),
                "pictures": [{"keys": list(one.keys), "origin": one.origin} for one in entry.pictures],
            }
            for entry in self.entries
        ]
        values = {"at": self.at, "by": self.by, "undoes": self.undoes, "entries": entries}
        return f"{json.dumps(values, ensure_ascii=False)}\n".encode()

    @classmethod
    def from_json(cls, review_id: str, content: bytes) -> Review:
        """Read an object; raises ValueError for any other content."""
        try:
            values = json.loads(content)
            entries = tuple(_entry(one) for one in values["entries"])
            return cls(review_id, str(values["at"]), str(values["by"]), entries, str(values["undoes"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"Expected a review, received something else: {error!r}") from error


@dataclass(frozen=True, slots=True)
class State:
    """Hold what all reviews of a picture come to, and who said the last word when."""

    answer: Answer | None = None
    star: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""
    by: str = ""
    at: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left that a person said."""
        return self.answer is None and not (self.star or self.tags or self.note)

    def changed(self, change: Change, by: str, at: str) -> State:
        """Return the state after one more review."""
        answer = self.answer if change.answer is None else None if change.answer.kind == OPEN else change.answer
        kept = [tag for tag in self.tags if tag not in change.remove_tags]
        return replace(
            self,
            answer=answer,
            star=self.star if change.star is None else change.star,
            tags=tuple(dict.fromkeys([*kept, *change.add_tags])),
            note=self.note if change.note is None else change.note,
            by=by,
            at=at,
        )


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: without commas, which separate them in tables, cut to a length, each once."""
    cleaned = (" ".join(tag.replace(",", " ").split())[:LONGEST_TAG] for tag in tags)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))


def _entry(values: Mapping[str, Any]) -> Entry:
    pictures = tuple(Picture(tuple(map(str, one["keys"])), str(one["origin"])) for one in values["pictures"])
    return Entry(Change.from_dict(values["change"]), pictures)
