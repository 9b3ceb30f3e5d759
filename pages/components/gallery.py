"""The wall: pictures of a run with label and score drawn on them, in pages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, text
from pages.components.frame import Opened
from pages.components.judged import judge
from pages.components.wall import draw_wall
from sparkcore.analysis.columns import Rows
from sparkcore.runs.mapped import read_thumbnails
from sparkcore.schema import STATUS_OK

PER_PAGE = (12, 24, 48, 96)
DEFAULT_PER_PAGE = 24
ZOOMS = {"small": 110, "medium": 170, "large": 260}  # height of a row of pictures in pixels
DEFAULT_ZOOM = "medium"
_COLUMNS = ["image_id", "file_name", "width", "height", "status", "error_type", "label", "score"]

Link = dict[str, list[str]]
# row numbers -> a short text for each, shown below the picture
Notes = Callable[[Rows], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Tile:
    """Hold one picture of the wall; `mark` is right, wrong or empty, `href` leads to its page."""

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


def show(opened: Opened, rows: Rows, *, key: str, notes: Notes | None = None) -> None:
    """Draw one page of the pictures with these row numbers, with the controls for page, page size and zoom.

    `rows` are in the order of showing. A click on a picture opens it.
    """
    paged(rows, lambda part: wall(opened, part, key=key, notes=notes), key=key)


def paged(rows: Rows, draw: Callable[[Rows], None], *, key: str) -> None:
    """Let `draw` draw one page of rows, and draw the controls for page, page size and zoom below it.

    The page number, its size and the zoom live in the address, so there can be one such gallery on a page.
    """
    per_page = int(address.get("per", str(DEFAULT_PER_PAGE), [str(size) for size in PER_PAGE]))
    pages = max(1, -(-len(rows) // per_page))
    page = min(address.get_int("page", 1), pages)
    draw(rows[(page - 1) * per_page : page * per_page])
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        if pages > 1:
            page_key = address.mirror(f"{key}_page", page)
            st.pagination(pages, key=page_key, on_change=address.writer(page_key, "page", default=1))
        _show_sizes(key)


def wall(opened: Opened, rows: Rows, *, key: str, notes: Notes | None = None) -> None:
    """Draw the pictures with these row numbers, all of them; a click on one opens it."""
    tiles = make_tiles(opened, rows, notes)
    draw_wall([asdict(tile) for tile in tiles], row_height(), key=key, on_open=_open)


def row_height() -> int:
    """Return the height in pixels of a row of pictures that the address asks for."""
    return ZOOMS[address.get("zoom", DEFAULT_ZOOM, tuple(ZOOMS))]


def rows_of(opened: Opened, image_ids: Sequence[str]) -> Rows:
    """Return the row numbers of images, in the given order; those that are not in the run are left out."""
    found = pc.index_in(pa.array(image_ids, pa.string()), value_set=opened.table["image_id"].combine_chunks())
    return found.drop_null().to_numpy(zero_copy_only=False).astype("int64")


def make_tiles(opened: Opened, rows: Rows, notes: Notes | None = None) -> list[Tile]:
    """Return the tiles of these rows."""
    part = opened.table.select(_COLUMNS).take(pa.array(rows)).to_pylist()
    truths = _truths(opened, rows)
    said = notes(rows) if notes else [""] * len(rows)
    pictures = read_thumbnails(opened.store, opened.run_id, rows.tolist())
    link = address.carried(run=opened.run_id)
    return [
        _tile(row, picture, (truth, note), {**link, "image": [row["image_id"]]})
        for row, picture, truth, note in zip(part, pictures, truths, said, strict=True)
    ]


def _truths(opened: Opened, rows: Rows) -> list[tuple[str, str]]:
    """Return for each row the mark (right, wrong or nothing) and the true label."""
    judged = judge(opened)
    if judged is None:
        return [("", "")] * len(rows)
    names = [text.words(judged.names[code]) if code >= 0 else "" for code in judged.truth[rows]]
    return [
        (("right" if right else "wrong") if name else "", name)
        for right, name in zip(judged.correct[rows], names, strict=True)
    ]


def _tile(row: dict[str, Any], picture: bytes | None, said: tuple[tuple[str, str], str], link: Link) -> Tile:
    (mark, truth), note = said
    ok = row["status"] == STATUS_OK
    label = text.words(row["label"] if ok else row["error_type"] or "error")
    score = f"{row['score']:.1%}" if ok else ""
    judgment = {"right": ", which is right", "wrong": f", but it is {truth}"}.get(mark, "")
    what = f"guessed {label} with {score}{judgment}" if ok else f"not readable: {label}"
    return Tile(
        image_id=row["image_id"],
        picture="data:image/jpeg;base64," + base64.b64encode(picture).decode() if picture else "",
        ratio=round((row["width"] or 1) / (row["height"] or 1), 3),
        label=label if ok else label.capitalize(),
        score=score,
        note=note,
        file_name=row["file_name"],
        mark=mark,
        truth=truth if mark == "wrong" else "",
        alt=f"{row['file_name']}, {what}",
        href=address.href("image", link),
    )


def _open(image_id: str) -> None:
    st.switch_page("pages/image.py", query_params=address.carried(run=address.get("run"), image=image_id))


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
        per = address.mirror(f"{key}_per", int(address.get("per", str(DEFAULT_PER_PAGE), [str(n) for n in PER_PAGE])))
        st.selectbox(
            "Per page", PER_PAGE, key=per, on_change=address.writer(per, "per", default=DEFAULT_PER_PAGE), width=120
        )


def _resize(key: str, name: str, default: str) -> None:
    value = st.session_state[key]
    address.change({name: None if value == default else value})  # the page stays
