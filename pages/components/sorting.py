"""The order of the images, and what each tile says about its place in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import address, cached, similar, text
from pages.components.opened import Opened
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.filters import Filters

SORTS = {
    similar.SORT: "Most similar first",
    "score-desc": "Most confident first",
    "score-asc": "Least confident first",
    "margin-asc": "Smallest margin first",
    "entropy-desc": "Highest entropy first",
    "name-asc": "Name, A to Z",
    "name-desc": "Name, Z to A",
    "size-desc": "Largest file first",
    "size-asc": "Smallest file first",
    "random": "Random",
}
_DEFAULT = "score-desc"
# Score and name are on the tile anyway.
_NOTES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "margin": ("margin", "margin {:.3f}".format),
    "entropy": ("entropy", "entropy {:.3f}".format),
    "size": ("size_bytes", text.size),
}


def show() -> None:
    """Draw the choice of the order, and for a random one the button that shuffles again."""
    key = address.mirror("sort", _current())
    st.selectbox(
        "Sort",
        [name for name in SORTS if name != similar.SORT or similar.is_chosen()],
        key=key,
        format_func=SORTS.__getitem__,
        on_change=address.writer(key, "sort", default=_DEFAULT),
        label_visibility="collapsed",
        width=230,
    )
    if address.get("sort") == "random":
        seed = address.get_int("seed", 0, 0)
        st.button("Shuffle", icon=":material/shuffle:", on_click=address.change, args=({"seed": str(seed + 1)},))


def rows(opened: Opened, filters: Filters) -> Rows:
    """Return the numbers of the rows that pass, in the order of the address."""
    if _current() == similar.SORT:
        return similar.ordered(opened, cached.matching_rows(opened, filters))
    key, _, direction = _current().partition("-")
    return cached.sorted_rows(opened, filters, key, direction == "desc", address.get_int("seed", 0, 0))


def notes(opened: Opened) -> Callable[[Rows], list[str]] | None:
    """Return the function that gives each tile's value of the order, or None where the tile shows it anyway."""
    key = _current().partition("-")[0]
    if _current() == similar.SORT:
        return similar.notes(opened)
    if key not in _NOTES:
        return None
    column, say = _NOTES[key]
    table = opened.table

    def say_all(rows: Rows) -> list[str]:
        values = table[column].take(pa.array(rows)).to_pylist()
        return ["" if value is None else say(value) for value in values]

    return say_all


def _current() -> str:
    chosen = address.get("sort", _DEFAULT, tuple(SORTS))
    return chosen if chosen != similar.SORT or similar.is_chosen() else _DEFAULT
