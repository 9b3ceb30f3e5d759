"""Previous and next image within the filters, by button or arrow key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, gallery, text
from pages.components.frame import PAGES
from pages.components.opened import Opened
from sparkcore.analysis.columns import Rows


def show(opened: Opened, rows: Rows) -> int | None:
    """Draw the buttons, and return the row number of the image in the address; the first of `rows` by default.

    Returns None where there is no image to show.
    """
    image_id = address.get("image")
    number = pc.index(opened.table["image_id"], image_id).as_py() if image_id else -1
    if number < 0:
        if image_id:
            st.warning(f"Image {text.escape(image_id)} is not in this run. This is the first one.")
        if not len(rows):
            return None
        number = int(rows[0])
    places = np.flatnonzero(rows == number)
    place = int(places[0]) if len(places) else None
    _show_bar(opened, rows, number, place)
    return number


def _show_bar(opened: Opened, rows: Rows, number: int, place: int | None) -> None:
    name = opened.table["file_name"][number].as_py()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        where = "not among the filtered images" if place is None else f"{place + 1:,} of {len(rows):,}"
        st.markdown(f"**{text.escape(name)}** · {where}", width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            back = _way_back(opened, number, place)
            st.page_link("pages/gallery.py", label="Gallery", icon=PAGES["gallery"][1], query_params=back)
            _show_step("Previous", opened, rows, None if place is None else place - 1)
            _show_step("Next", opened, rows, 0 if place is None else place + 1)


def _way_back(opened: Opened, number: int, place: int | None) -> dict[str, list[str]]:
    """Return the parameters of the wall's page that has the image at this place, with the image in view."""
    if place is None:
        return address.carried()
    page = place // gallery.page_size() + 1
    image_id = opened.table["image_id"][number].as_py()
    return address.carried(page=str(page) if page > 1 else None, at=image_id)


def step_button(label: str, key: str, go: Callable[[], None] | None) -> None:
    """Draw the button of an arrow key, to the left for "Previous"; without `go` there is nothing there."""
    back = label == "Previous"
    st.button(
        label,
        key=key,
        icon=":material/chevron_left:" if back else ":material/chevron_right:",
        icon_position="left" if back else "right",
        shortcut="Left" if back else "Right",
        disabled=go is None,
        on_click=go,
    )


def _show_step(label: str, opened: Opened, rows: Rows, place: int | None) -> None:
    there = place is not None and 0 <= place < len(rows)
    go = partial(_go, opened.table["image_id"][int(rows[place])].as_py()) if there and place is not None else None
    step_button(label, f"browse_{label.lower()}", go)


def _go(image_id: str) -> None:
    address.change({"image": image_id})
