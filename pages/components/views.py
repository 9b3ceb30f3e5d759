"""Saved views: a list on each page, a link to each, and a name for what the page shows now."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from pages.components import address, text, trouble
from sparkcore.errors import SparkcoreError
from sparkcore.runs.store import RunStore
from sparkcore.runs.views import LONGEST_NAME, View, delete_view, save_view, saved_views

_SEEN_S = 10  # until the views of other servers are seen
_RESERVED = ("embed", "embed_options")  # Streamlit's own parameters, which no link of a page may have
_NAME = "view_name"
_ERROR = "view_error"


def show(store: RunStore, page: str, pages: Collection[str]) -> None:
    """Draw the menu of saved views; `pages` are those that there are."""
    with st.popover("Views", icon=":material/bookmark:", key="views", type="tertiary"):
        error = st.session_state.pop(_ERROR, None)
        if error:
            trouble.show(error)
        found = [view for view in _views(store.uri, _store=store) if view.page in pages]
        for view in found:
            _show_view(store, view)
        if not found:
            st.caption("None yet. A view is the run, the filters and the order that this page shows.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Name of this view", key=_NAME, max_chars=LONGEST_NAME)
            st.button("Save view", key="view_save", icon=":material/bookmark_add:", on_click=_save, args=(store, page))


def _show_view(store: RunStore, view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        query = {name: list(values) for name, values in view.query.items() if name.lower() not in _RESERVED}
        st.page_link(f"pages/{view.page}.py", label=text.escape(view.name), query_params=query, width="stretch")
        st.button(
            "Delete",
            key=f"view_delete_{view.view_id}",
            icon=":material/delete:",
            type="tertiary",
            on_click=_delete,
            args=(store, view.view_id),
        )


def _save(store: RunStore, page: str) -> None:
    try:
        save_view(store, st.session_state[_NAME], page, address.query())
        st.session_state[_NAME] = ""
    except SparkcoreError as error:
        st.session_state[_ERROR] = error
    _views.clear()


def _delete(store: RunStore, view_id: str) -> None:
    try:
        delete_view(store, view_id)
    except SparkcoreError as error:
        st.session_state[_ERROR] = error
    _views.clear()


@st.cache_data(ttl=_SEEN_S, show_spinner=False)
def _views(uri: str, _store: RunStore) -> list[View]:
    del uri
    try:
        return saved_views(_store)
    except SparkcoreError:
        return []
