"""The map of a run: similar pictures near each other; a box in it selects pictures, which the gallery then shows."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from pages.components import address, cached, filters, gallery, map_canvas, map_color, similar, text, trouble
from pages.components.frame import PAGES
from pages.components.opened import Opened
from sparkcore import client
from sparkcore.analysis.columns import Rows, encode
from sparkcore.analysis.filters import Area, Filters, parse_area
from sparkcore.analysis.layout import NEIGHBORS, WITHIN
from sparkcore.analysis.map_drawing import (
    COLORED,
    COLUMNS,
    LINES,
    PICTURE_COLUMNS,
    PICTURE_LINES,
    STEPS,
    WHOLE,
    Drawing,
    draw,
)
from sparkcore.analysis.map_kinds import kinds_of
from sparkcore.groups import GroupPath
from sparkcore.imaging.decode import decode
from sparkcore.imaging.lettering import display_name
from sparkcore.imaging.thumbnail import thumbnail
from sparkcore.runs.layouts import Layout, read_layout
from sparkcore.runs.mapped import read_thumbnails
from sparkcore.runs.vectors import has_embeddings

_VIEW = "view"  # the parameter with the part of the map that is drawn
_SELECTED = 12  # pictures that are shown of a selection
_PICTURE_SIDE, _PICTURE_QUALITY = 96, 60
_PICTURE_BYTES = 110_000  # of all thumbnails together, as text
_MOST_NAMES = 500
_PAD = 14  # pixels around the map
_REFRESH_EVERY = "1s"


def show(opened: Opened, wanted: Filters) -> None:
    """Draw the map, and what is selected in it; the pictures that do not pass the filters are a shadow."""
    if not has_embeddings(opened.manifest):
        similar.show_missing(opened, "embedding")
        return
    if not opened.has_map:
        st.fragment(trouble.guard(_show_making), run_every=_REFRESH_EVERY)(opened)
        return
    view, by = _view(), map_color.chosen(opened)
    drawing = _drawing(opened, wanted.without("area"), view, by, map_color.within())
    kept = NEIGHBORS * _layout(opened).kept
    st.caption(
        f"Similar pictures are near each other: of the {NEIGHBORS} most similar to a picture, on average {kept:.1f} "
        f"are among the {WITHIN} nearest here. Drag a box, or click, to select."
    )
    map_color.show(opened)
    map_canvas.show(
        {
            **_drawn(opened, drawing, by),
            "area": None if wanted.area is None else _within(wanted.area, view),
            "pictures": _pictures(opened, drawing),
        },
        key="map",
        on_area=_select,
        on_kind=partial(map_color.turn, by=by),
    )
    _show_selection(opened, wanted, view)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=cached.BY_KEY)
def _command(opened: Opened) -> client.BackgroundCommand:
    """Return the process that makes the map of a run, for all viewers."""
    return client.start_command(("map", opened.run_id))


def _show_making(opened: Opened) -> None:
    command = _command(opened)
    if command.is_running:
        st.progress(0.5, f"Making the map, once for this run: {text.escape(command.said) or 'starting'} …")
    elif command.has_failed:
        st.error(f"There is no map: {text.escape(command.said)}", icon=":material/error:")
        st.button("Try again", icon=":material/replay:", on_click=_command.clear, args=(opened,))
    else:
        st.rerun()


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=cached.BY_KEY)
def _layout(opened: Opened) -> Layout:
    return read_layout(opened.store, opened.manifest)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=cached.BY_KEY)
def _drawing(opened: Opened, wanted: Filters, view: Area, by: str, within: GroupPath) -> Drawing:
    kind, label = kinds_of(opened.table, by, within), encode(opened.table["label"])
    return draw(_layout(opened).places, kind, label, cached.matching_rows(opened, wanted), view)


def _drawn(opened: Opened, drawing: Drawing, by: str) -> dict[str, Any]:
    """Return what the browser needs of a drawing, without the thumbnails."""
    kinds = [[map_color.name(kind, by), count, kind] for kind, count in drawing.kinds[:COLORED]]
    kinds += [[map_color.name(kind, by)] for kind, _ in drawing.kinds[COLORED:_MOST_NAMES]]
    others = drawing.images - sum(count for _, count in drawing.kinds[:COLORED])
    most = ", ".join(f"{map_color.name(kind, by)} {count:,}" for kind, count in drawing.kinds[:3])
    return {
        **drawing.to_dict(),
        "grid": [COLUMNS, LINES],
        "pictureGrid": [PICTURE_COLUMNS, PICTURE_LINES],
        "steps": STEPS,
        "pad": _PAD,
        "colored": COLORED,
        "kinds": kinds,
        "none": map_color.none(by),
        "labels": [display_name(label) for label in drawing.labels],
        "wanted": map_color.wanted(by),
        "rest": f"others {others:,}" if others else "",
        "alt": f"Map of {text.images(drawing.images)} of {opened.name}; most often {most}.",
    }


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=cached.BY_KEY)
def _small(opened: Opened, rows: tuple[int, ...]) -> dict[int, str]:
    """Return small thumbnails of rows as data URIs, as many of the first rows as may be sent."""
    found: dict[int, str] = {}
    left = _PICTURE_BYTES
    for row, content in zip(rows, read_thumbnails(opened.store, opened.run_id, rows), strict=True):
        if content is None:
            continue
        small = thumbnail(decode(content).image, _PICTURE_SIDE, _PICTURE_QUALITY)
        found[row] = "data:image/jpeg;base64," + base64.b64encode(small).decode()
        left -= len(found[row])
        if left < 0:
            break
    return found


def _pictures(opened: Opened, drawing: Drawing) -> list[dict[str, Any]]:
    small = _small(opened, tuple(drawing.pictures.tolist()))
    part = opened.table.select(["image_id", "file_name", "label"]).take(pa.array(drawing.pictures)).to_pylist()
    link = address.carried(run=opened.run_id)
    return [
        {
            "x": int(x),
            "y": int(y),
            "image_id": row["image_id"],
            "picture": small[number],
            "alt": f"{display_name(row['label'] or 'no label')}, {row['file_name']}",
            "kind": int(kind),
            "href": address.href("image", {**link, "image": [row["image_id"]]}),
        }
        for number, (x, y), kind, row in zip(
            drawing.pictures.tolist(), drawing.spots, drawing.picture_kinds, part, strict=True
        )
        if number in small
    ]


def _show_selection(opened: Opened, wanted: Filters, view: Area) -> None:
    """Draw the first pictures of the selection, and what can be done with it."""
    if wanted.area is None and view == WHOLE:
        return
    rows = cached.matching_rows(opened, wanted) if wanted.area else np.empty(0, np.int64)
    with st.container(horizontal=True, vertical_alignment="center", key="map_selection"):
        if wanted.area is not None:
            st.markdown(f"**{text.images(len(rows))} selected**", width="content")
            st.page_link(
                "pages/gallery.py",
                label="See them in the gallery",
                icon=PAGES["gallery"][1],
                query_params=address.carried(),
            )
            st.button("Zoom in", icon=":material/zoom_in:", on_click=_zoom, args=(wanted.area,))
        if view != WHOLE:
            st.button("Whole map", icon=":material/zoom_out_map:", on_click=_zoom, args=(WHOLE,))
    if len(rows):
        gallery.wall(opened, _nearest_to_middle(opened, rows), key="map_wall")


def _nearest_to_middle(opened: Opened, rows: Rows) -> Rows:
    places = _layout(opened).places[rows]
    distances = ((places - places.mean(axis=0)) ** 2).sum(axis=1)
    return rows[np.argsort(distances, kind="stable")[:_SELECTED]]


def _view() -> Area:
    return parse_area(address.query().get(_VIEW, [])) or WHOLE


def _within(area: Area, view: Area) -> list[float]:
    """Return the sides of a part of the map as shares of what is drawn."""
    width, height = view.right - view.left, view.bottom - view.top
    x = [min(max((side - view.left) / width, 0.0), 1.0) for side in (area.left, area.right)]
    y = [min(max((side - view.top) / height, 0.0), 1.0) for side in (area.top, area.bottom)]
    return [x[0], y[0], x[1], y[1]]


def _select(sides: Any) -> None:
    """Make a box of the drawing the filter; call it from callbacks."""
    view = _view()
    left, top, right, bottom = (min(max(float(side), 0.0), 1.0) for side in sides)
    width, height = view.right - view.left, view.bottom - view.top
    corners = (view.left + left * width, view.top + top * height, view.left + right * width, view.top + bottom * height)
    area = parse_area([f"{side:.4f}" for side in corners])
    if area is not None:
        filters.set_filter(area=area)


def _zoom(area: Area) -> None:
    address.change({_VIEW: None if area == WHOLE else [f"{side:.4g}" for side in area]})
    if area != WHOLE:
        filters.set_filter(area=None)
