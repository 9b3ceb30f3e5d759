"""A paged wall of pictures of a run, each with its label and score."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import address, cached, originals, place, text
from pages.components.opened import Opened
from pages.components.wall import CORRECT, INCORRECT, Choice, View, draw_wall
from sparkcore.analysis.columns import Rows
from sparkcore.imaging.lettering import display_name
from sparkcore.runs.mapped import read_thumbnails
from sparkcore.schema import STATUS_OK

PER_PAGE = (12, 24, 48, 96)
DEFAULT_PER_PAGE = 24
ZOOMS = {"small": 110, "medium": 170, "large": 260}  # height of a row of pictures in pixels
DEFAULT_ZOOM = "medium"
_MAX_PAGE_BUTTONS = 9
_MIN_PAGE_BUTTONS = 5  # with less room than for these, Streamlit's pager shows only the current page
_PAGE_BUTTON_PIXELS = 38
_COLUMNS = ["image_id", "origin", "file_name", "width", "height", "status", "error_type", "label", "score"]

Link = dict[str, list[str]]
# Row numbers -> a short text for each, shown below its picture.
Notes = Callable[[Rows], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Tile:
    """Hold one picture of the wall; `mark` is CORRECT, INCORRECT or empty, `href` leads to its page."""

    image_id: str
    picture: str
    ratio: float
    label: str
    score: str
    note: str
    file_name: str
    mark: str
    truth: str
    alt: str
    href: str


def show(
    opened: Opened, rows: Rows, *, key: str, notes: Notes | None = None, choice: Callable[[Rows], Choice] | None = None
) -> None:
    """Draw one page of the pictures in these rows, in this order, and the paging controls; a click opens a picture.

    `choice` gives the choice among the rows of a page, where pictures can be chosen.
    """
    paged(rows, lambda part: wall(opened, part, key=key, notes=notes, choice=choice), key=key)


def paged(rows: Rows, draw: Callable[[Rows], None], *, key: str, per_page: int | None = None) -> None:
    """Let `draw` draw one page of rows, and draw the pager below it.

    Page number, page size and zoom live in the address, so there can be only one such gallery on a page. With
    `per_page` the size of a page is fixed, and there is no choice of size and zoom.
    """
    size = per_page or page_size()
    pages = max(1, -(-len(rows) // size))
    page = min(address.get_int("page", 1), pages)
    first, last = (page - 1) * size, min(page * size, len(rows))
    results = f"{key}_results"
    with st.container(key=results):
        draw(rows[first:last])
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        if pages > 1:
            buttons = min(max(pages, _MIN_PAGE_BUTTONS), _MAX_PAGE_BUTTONS)
            with st.container(width=_PAGE_BUTTON_PIXELS * (buttons + 2), gap="xsmall"):
                st.caption(f"{first + 1:,} to {last:,} of {len(rows):,}")
                page_key = address.mirror(f"{key}_page", page)
                st.pagination(
                    pages,
                    max_visible_pages=_MAX_PAGE_BUTTONS,
                    width="stretch",
                    key=page_key,
                    on_change=_turn,
                    args=(page_key, results),
                )
        if per_page is None:
            _show_sizes(key)


def wall(
    opened: Opened, rows: Rows, *, key: str, notes: Notes | None = None, choice: Callable[[Rows], Choice] | None = None
) -> None:
    """Draw the pictures in these rows, all of them; a click on one opens it."""
    tiles = make_tiles(opened, rows, notes)
    view = View(row_height(), address.place())
    draw_wall([asdict(tile) for tile in tiles], view, key=key, choice=choice and choice(rows))


def row_height() -> int:
    """Return the height in pixels of a row of pictures, by the zoom in the address."""
    return ZOOMS[address.get("zoom", DEFAULT_ZOOM, tuple(ZOOMS))]


def make_tiles(opened: Opened, rows: Rows, notes: Notes | None = None) -> list[Tile]:
    """Return the tiles of these rows."""
    part = opened.table.select(_COLUMNS).take(pa.array(rows)).to_pylist()
    truths = _truths(opened, rows)
    said = notes(rows) if notes else [""] * len(rows)
    pictures = _pictures(opened, rows, part)
    link = address.carried(run=opened.run_id)
    return [
        _tile(row, picture, (truth, note), {**link, "image": [row["image_id"]]})
        for row, picture, truth, note in zip(part, pictures, truths, said, strict=True)
    ]


def _pictures(opened: Opened, rows: Rows, part: Sequence[Mapping[str, Any]]) -> list[bytes | None]:
    thumbnails = read_thumbnails(opened.store, opened.run_id, rows.tolist())
    if row_height() < ZOOMS["large"]:
        return thumbnails
    larger = originals.tile_pictures(opened.store, part)
    return [large or small for large, small in zip(larger, thumbnails, strict=True)]


def _truths(opened: Opened, rows: Rows) -> list[tuple[str, str]]:
    """Return the mark (CORRECT, INCORRECT or empty) and the true label of each row."""
    known = cached.truth(opened)
    if known is None:
        return [("", "")] * len(rows)
    names = [display_name(known.names[code]) if code >= 0 else "" for code in known.truth[rows]]
    return [
        ((CORRECT if correct else INCORRECT) if name else "", name)
        for correct, name in zip(known.correct[rows], names, strict=True)
    ]


def _tile(row: dict[str, Any], picture: bytes | None, said: tuple[tuple[str, str], str], link: Link) -> Tile:
    (mark, truth), note = said
    ok = row["status"] == STATUS_OK
    label = display_name(row["label"] if ok else row["error_type"] or "error")
    score = text.percent(row["score"]) if ok else ""
    judgment = {CORRECT: ", which is correct", INCORRECT: f", but the true label is {truth}"}.get(mark, "")
    what = f"predicted {label} with {score}{judgment}" if ok else f"unreadable: {label}"
    return Tile(
        image_id=row["image_id"],
        picture="data:image/jpeg;base64," + base64.b64encode(picture).decode() if picture else "",
        ratio=round((row["width"] or 1) / (row["height"] or 1), 3),
        label=label if ok else label.capitalize(),
        score=score,
        note=note,
        file_name=row["file_name"],
        mark=mark,
        truth=truth if mark == INCORRECT else "",
        alt=f"{row['file_name']}, {what}",
        href=address.href("image", link),
    )


def page_size() -> int:
    """Return the number of pictures on a page, by the address."""
    return int(address.get("per", str(DEFAULT_PER_PAGE), [str(size) for size in PER_PAGE]))


def _turn(key: str, results: str) -> None:
    address.writer(key, "page", default=1)()
    place.ask(results)


def _show_sizes(key: str) -> None:
    with st.container(horizontal=True, width="content", vertical_alignment="bottom"):
        zoom = address.mirror(f"{key}_zoom", address.get("zoom", DEFAULT_ZOOM, tuple(ZOOMS)))
        st.selectbox(
            "Size",
            list(ZOOMS),
            key=zoom,
            format_func=str.capitalize,
            on_change=_resize,
            args=(zoom, "zoom", DEFAULT_ZOOM),
            width=120,
        )
        per = address.mirror(f"{key}_per", page_size())
        st.selectbox(
            "Per page", PER_PAGE, key=per, on_change=address.writer(per, "per", default=DEFAULT_PER_PAGE), width=120
        )


def _resize(key: str, name: str, default: str) -> None:
    value = st.session_state[key]
    address.change({name: None if value == default else value})  # the page stays
