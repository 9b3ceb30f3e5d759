"""The pictures of the report: walls of the images that say most, each image at most once."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import pyarrow as pa

from sparkcore.analysis.columns import Rows, is_ok
from sparkcore.analysis.duplicates import EXACT, find_duplicates
from sparkcore.analysis.export import Thumbnails
from sparkcore.analysis.quality import find_problems, measures
from sparkcore.analysis.selection import sort
from sparkcore.analysis.truth import Match, match
from sparkcore.imaging.lettering import display_name, percent
from sparkcore.runs.vectors import Vectors

IMAGES_SHOWN = 12  # on one wall
_OF_GROUP = 3  # duplicates shown
_LOOKED_AT = 5 * IMAGES_SHOWN  # some are on other walls

_NO_PROBLEM = "grayscale"  # to those who read a report
_IMAGE_TYPES = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"RI": "image/webp"}


@dataclass(frozen=True, slots=True)
class Tile:
    """Hold one image of the report as texts.

    `picture` is a data URI, empty without a thumbnail; `truth` is the true label of a mistake, else empty; `note` says
    why the image is here.
    """

    file_name: str
    picture: str
    label: str
    score: str
    note: str
    truth: str


@dataclass(frozen=True, slots=True)
class Wall:
    """Hold a group of images with its title and an explanation."""

    title: str
    note: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one wall, best first, and a note for some of them."""

    title: str
    note: str
    rows: Sequence[int]
    notes: dict[int, str] = field(default_factory=dict)


def walls(table: pa.Table, rows: Rows, thumbnails: Thumbnails | None, vectors: Vectors | None = None) -> Iterator[Wall]:
    """Yield the walls of these rows of the whole `table`; images without a prediction are left out.

    A few images are one wall. `thumbnails` reads the pictures; without it there are none. `vectors` are the embeddings
    of the table's rows, if there are any.
    """
    matched = match(table)
    truths = _true_labels_of_mistakes(matched)
    read = rows[is_ok(table, rows)]
    shown: set[int] = set()
    for part in _predictions(table, read, matched):
        yield from _wall(table, part, truths, thumbnails, shown)
    if len(read) > IMAGES_SHOWN:
        yield from _wall(table, _problems(table, read), truths, thumbnails, shown)
        yield from _wall(table, _duplicates(table, read, vectors, shown), truths, thumbnails, shown)


def _predictions(table: pa.Table, read: Rows, matched: Match) -> Iterator[_Part]:
    by_score = sort(table, read, "score", descending=True)
    if len(read) <= IMAGES_SHOWN:
        yield _Part("Images", "Highest scores first.", by_score.tolist())
        return
    is_mistake = (matched.judged & ~matched.correct)[by_score]
    yield _Part("Best", "The predictions with the highest scores.", by_score[~is_mistake][:IMAGES_SHOWN].tolist())
    # Mistakes with a high score are below: those with a small margin are mistakes that anybody would make.
    sure = by_score[is_mistake][:IMAGES_SHOWN].tolist()
    doubtful = [row for row in sort(table, read, "margin")[:_LOOKED_AT].tolist() if row not in sure]
    second = dict(zip(doubtful, _second(table, doubtful), strict=True))
    yield _Part("Doubtful", "The first and the second label have nearly equal scores.", doubtful, second)
    yield _Part("Wrong", "Incorrect predictions with the highest scores.", sure)


def _problems(table: pa.Table, read: Rows) -> _Part:
    """Return the pictures of poor quality, some of each kind."""
    is_read = np.zeros(table.num_rows, dtype=bool)
    is_read[read] = True
    problems = find_problems(measures(table, None))
    found = {kind: rows[is_read[rows]].tolist() for kind, rows in problems.items() if kind != _NO_PROBLEM}
    counts = ", ".join(f"{len(rows):,} {kind}" for kind, rows in found.items() if rows)
    in_turn = chain(*zip_longest(*([(row, kind) for row in rows[:_LOOKED_AT]] for kind, rows in found.items())))
    notes: dict[int, str] = {}
    for one in in_turn:
        if one is not None:
            notes.setdefault(*one)
    return _Part("Problems", f"Pictures that may be of little use: {counts}.", list(notes), notes)


def _duplicates(table: pa.Table, read: Rows, vectors: Vectors | None, shown: set[int]) -> _Part:
    """Return groups of equal or nearly equal pictures of which none is shown yet."""
    groups = find_duplicates(table, vectors, rows=read)
    exact = sum(group.kind == EXACT for group in groups)
    notes: dict[int, str] = {}
    number = 0
    for group in groups:
        part = group.rows[:_OF_GROUP]
        if len(notes) + len(part) <= IMAGES_SHOWN and shown.isdisjoint(part) and not notes.keys() & set(part):
            number += 1
            kind = "equal files" if group.kind == EXACT else "nearly equal pictures"
            notes.update(dict.fromkeys(part, f"group {number}: {len(group.rows):,} {kind}"))
    said = f"{exact:,} groups of equal files and {len(groups) - exact:,} of nearly equal pictures."
    return _Part("Duplicates", said, list(notes), notes)


def _wall(table: pa.Table, part: _Part, truths: Any, thumbnails: Thumbnails | None, shown: set[int]) -> Iterator[Wall]:
    rows = [row for row in part.rows if row not in shown][:IMAGES_SHOWN]
    shown.update(rows)
    if rows:
        yield Wall(part.title, part.note, tuple(_tiles(table, rows, (truths, part.notes), thumbnails)))


def _true_labels_of_mistakes(matched: Match) -> Any:
    """Return the true label of every mistaken row, "" for all others."""
    names = np.array([*map(display_name, matched.names), ""], dtype=object)
    return names[np.where(matched.judged & ~matched.correct, matched.truth, -1)]


def _second(table: pa.Table, rows: list[int]) -> Iterator[str]:
    """Yield the second label of each row with its score."""
    for top in table["top"].take(pa.array(rows, pa.int64())).to_pylist():
        yield f"or {display_name(top[1]['label'])} {_score(top[1]['score'])}" if top and len(top) > 1 else ""


def _tiles(
    table: pa.Table, rows: list[int], said: tuple[Any, dict[int, str]], thumbnails: Thumbnails | None
) -> Iterator[Tile]:
    truths, notes = said
    columns = ["image_id", "file_name", "label", "score"]
    part = table.select(columns).take(pa.array(rows, pa.int64())).to_pylist()
    pictures = thumbnails([one["image_id"] for one in part]) if thumbnails else {}
    for row, one in zip(rows, part, strict=True):
        yield Tile(
            file_name=one["file_name"],
            picture=_data_uri(pictures.get(one["image_id"])),
            label=display_name(one["label"]),
            score=_score(one["score"]),
            note=notes.get(row, ""),
            truth=truths[row],
        )


def _score(score: float | None) -> str:
    return "" if score is None else percent(score).replace(" ", "\N{NO-BREAK SPACE}")


def _data_uri(picture: bytes | None) -> str:
    kind = _IMAGE_TYPES.get((picture or b"")[:2])
    return "" if picture is None or kind is None else f"data:{kind};base64,{base64.b64encode(picture).decode()}"
