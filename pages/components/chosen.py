"""Several pictures chosen on the wall, and what can be said of all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from pages.components import again, answer, cached, reviews, text
from pages.components.opened import Opened
from pages.components.wall import Choice
from sparkcore.analysis.columns import Rows
from sparkcore.imaging.lettering import display_name
from sparkcore.reviews.pictures import pictures_at
from sparkcore.reviews.review import NONE, Answer, Change

MOST = 10_000  # pictures in one review
_LABEL, _TAG = "chosen_label", "chosen_tag"


def rows_of(opened: Opened) -> Rows:
    """Return the chosen rows of a run, sorted; they are those of this browser tab."""
    return np.array(sorted(_chosen(opened)), dtype=np.int64)


def on_wall(opened: Opened, rows: Rows) -> Choice:
    """Return the choice among these rows, for the wall that draws them."""
    ids = opened.plain["image_id"].take(pa.array(rows)).to_pylist()
    chosen = _chosen(opened)
    named = dict(zip(ids, rows.tolist(), strict=True))
    return Choice([one for one, row in named.items() if row in chosen], bool(chosen), _listener(opened, named))


def show(opened: Opened, rows: Rows) -> None:
    """Draw what can be done with the chosen pictures; `rows` are all that pass the filters."""
    reviews.show_error()
    chosen = rows_of(opened)
    if not len(chosen):
        return
    with (
        st.container(border=True, key="chosen"),
        st.container(horizontal=True, vertical_alignment="center", gap="small"),
    ):
        st.markdown(f"**{len(chosen):,} chosen**", width="content")
        if not np.isin(rows, chosen).all() and len(rows) <= MOST:
            st.button(f"All {len(rows):,}", key="chosen_all", on_click=_choose, args=(opened, rows))
        st.button("None", key="chosen_none", icon=":material/close:", on_click=_choose, args=(opened, chosen[:0]))
        _show_label(opened, chosen)
        _show_button(opened, chosen, "Not in any class", ":material/block:", Change(Answer(NONE)))
        _show_button(opened, chosen, "Star", ":material/star:", Change(star=True))
        _show_tag(opened, chosen)
        again.show(opened, chosen, key="chosen_again")
        st.button(
            "Undo",
            key="chosen_undo",
            icon=":material/undo:",
            disabled=not reviews.can_undo(),
            on_click=reviews.undo,
            args=(opened.store,),
        )


def say(opened: Opened, rows: Rows, change: Change) -> None:
    """Say the same of some pictures in one review, which one Undo takes back; call it from callbacks."""
    reviews.say(opened.store, pictures_at(opened.plain, rows.tolist()), change)
    st.toast(f"Reviewed {text.images(len(rows))}", icon=":material/how_to_reg:")


def _show_label(opened: Opened, chosen: Rows) -> None:
    lookup = cached.classes(opened.without_reviews)

    def take() -> None:
        label = (st.session_state[_LABEL] or "").strip()
        if label:
            say(opened, chosen, Change(answer.answer_of(lookup, label)))
            st.session_state[_LABEL] = None

    st.selectbox(
        "Label",
        answer.class_names(opened, lookup),
        index=None,
        key=_LABEL,
        format_func=display_name,
        placeholder="Label them …",
        accept_new_options=True,
        label_visibility="collapsed",
        on_change=take,
        width=220,
    )


def _show_tag(opened: Opened, chosen: Rows) -> None:
    def take() -> None:
        tag = st.session_state[_TAG]
        if tag:
            say(opened, chosen, Change(add_tags=(tag,)))
            st.session_state[_TAG] = None

    st.selectbox(
        "Tag",
        answer.used_tags(opened),
        index=None,
        key=_TAG,
        placeholder="Tag them …",
        accept_new_options=True,
        label_visibility="collapsed",
        on_change=take,
        width=160,
    )


def _show_button(opened: Opened, chosen: Rows, label: str, icon: str, change: Change) -> None:
    key = f"chosen_{label.split(maxsplit=1)[0].lower()}"
    st.button(label, key=key, icon=icon, on_click=say, args=(opened, chosen, change))


def _chosen(opened: Opened) -> frozenset[int]:
    return st.session_state.get(_key(opened), frozenset())


def _choose(opened: Opened, rows: Rows) -> None:
    st.session_state[_key(opened)] = frozenset(rows.tolist())


def _key(opened: Opened) -> str:
    return f"chosen_of_{opened.run_id}"


def _listener(opened: Opened, row_of: Mapping[str, int]) -> Callable[[Mapping[str, Any]], None]:
    def listen(change: Mapping[str, Any]) -> None:
        named = [row_of[one] for one in change.get("images", ()) if one in row_of]
        chosen = _chosen(opened)
        chosen = chosen.union(named) if change.get("on") else chosen.difference(named)
        st.session_state[_key(opened)] = frozenset(sorted(chosen)[:MOST])

    return listen
