"""The pictures of the report: walls of the images that say most, each image at most once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sparkcore.analysis.columns import Rows, is_ok
from sparkcore.analysis.export import Thumbnails
from sparkcore.analysis.selection import sort
from sparkcore.analysis.truth import Match, match
from sparkcore.imaging.lettering import display_name, percent

IMAGES_SHOWN = 12  # on one wall

_IMAGE_TYPES = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"RI": "image/webp"}


@dataclass(frozen=True, slots=True)
class Tile:
    """Hold one image of the report as texts.

    `picture` is a data URI, empty without a thumbnail; `truth` is the true label of a mistake, else empty.
    """

    file_name: str
    picture: str
    label: str
    score: str
    second: str
    truth: str


@dataclass(frozen=True, slots=True)
class Wall:
    """Hold a group of images with its title and an explanation."""

    title: str
    note: str
    tiles: tuple[Tile, ...]


def walls(table: pa.Table, rows: Rows, thumbnails: Thumbnails | None) -> Iterator[Wall]:
    """Yield the walls of these rows of the whole `table`; images without a prediction are left out.

    A few images are one wall. `thumbnails` reads the pictures; without it there are none.
    """
    matched = match(table)
    truths = _true_labels_of_mistakes(matched)
    for title, note, chosen in _choose(table, rows[is_ok(table, rows)], matched):
        if len(chosen):
            yield Wall(title, note, tuple(_tiles(table, chosen, truths, thumbnails)))


def _choose(table: pa.Table, read: Rows, matched: Match) -> Iterator[tuple[str, str, Rows]]:
    """Yield title, note and rows of each wall; no row is in two of them."""
    by_score = sort(table, read, "score", descending=True)
    if len(read) <= IMAGES_SHOWN:
        yield "Images", "Highest scores first.", by_score
        return
    is_mistake = (matched.judged & ~matched.correct)[by_score]
    most = by_score[~is_mistake][:IMAGES_SHOWN]
    mistakes = by_score[is_mistake][:IMAGES_SHOWN]
    rest = np.setdiff1d(read, [*most, *mistakes], assume_unique=True)
    note = "The highest scores; mistakes are shown below." if len(mistakes) else "The highest scores."
    yield "Most confident", note, most
    yield "Most confident mistakes", "Incorrect predictions with the highest scores.", mistakes
    note = "The first and the second prediction have nearly equal scores."
    yield "Least confident", note, sort(table, rest, "margin")[:IMAGES_SHOWN]


def _true_labels_of_mistakes(matched: Match) -> Any:
    """Return the true label of every mistaken row, "" for all others."""
    names = np.array([*map(display_name, matched.names), ""], dtype=object)
    return names[np.where(matched.judged & ~matched.correct, matched.truth, -1)]


def _tiles(table: pa.Table, rows: Rows, truths: Any, thumbnails: Thumbnails | None) -> Iterator[Tile]:
    part = table.select(["image_id", "file_name", "label", "score", "top"]).take(pa.array(rows)).to_pylist()
    pictures = thumbnails([row["image_id"] for row in part]) if thumbnails else {}
    for row, truth in zip(part, truths[rows], strict=True):
        top = row["top"] or []
        yield Tile(
            file_name=row["file_name"],
            picture=_data_uri(pictures.get(row["image_id"])),
            label=display_name(row["label"]),
            score=_score(row["score"]),
            second=f"{display_name(top[1]['label'])} {_score(top[1]['score'])}" if len(top) > 1 else "",
            truth=truth,
        )


def _score(score: float | None) -> str:
    return "" if score is None else percent(score).replace(" ", "\N{NO-BREAK SPACE}")


def _data_uri(picture: bytes | None) -> str:
    kind = _IMAGE_TYPES.get((picture or b"")[:2])
    return "" if picture is None or kind is None else f"data:{kind};base64,{base64.b64encode(picture).decode()}"
