"""The order of the images, and what it has to say on each tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import address, text
from pages.components.frame import Opened
from sparkcore.analysis.columns import Rows

ORDERS = {
    "score-desc": "Most certain first",
    "score-asc": "Least certain first",
    "margin-asc": "Closest guesses first",
    "entropy-desc": "Most spread guesses first",
    "name-asc": "Name, A to Z",
    "name-desc": "Name, Z to A",
    "size-desc": "Largest file first",
    "size-asc": "Smallest file first",
    "random": "Random",
}
_DEFAULT_ORDER = "score-desc"
# What stands on the tile already, score and name, is not said once more below it.
_NOTES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "margin": ("margin", "margin {:.3f}".format),
    "entropy": ("entropy", "entropy {:.3f}".format),
    "size": ("size_bytes", text.size),
}


def show() -> None:
    """Draw the choice of the order, and for a random one the button that shuffles anew."""
    key = address.mirror("order", current())
    st.selectbox(
        "Order",
        list(ORDERS),
        key=key,
        format_func=ORDERS.__getitem__,
        on_change=address.writer(key, "sort", default=_DEFAULT_ORDER),
        label_visibility="collapsed",
        width=230,
    )
    if address.get("sort") == "random":
        seed = address.get_int("seed", 0, 0)
        st.button("Shuffle", icon=":material/shuffle:", on_click=address.change, args=({"seed": str(seed + 1)},))


def current() -> str:
    """Return the order of the address, one of ORDERS."""
    return address.get("sort", _DEFAULT_ORDER, tuple(ORDERS))


def notes(opened: Opened) -> Callable[[Rows], list[str]] | None:
    """Return what a tile says about its place in the order, or None where the order needs no words."""
    key = current().partition("-")[0]
    if key not in _NOTES:
        return None
    column, say = _NOTES[key]
    table = opened.table

    def say_all(rows: Rows) -> list[str]:
        values = table[column].take(pa.array(rows)).to_pylist()
        return ["" if value is None else say(value) for value in values]

    return say_all
