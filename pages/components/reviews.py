"""Who reviews, what they say, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zlib import crc32

import streamlit as st

from pages.components import text, trouble
from sparkcore.errors import SparkcoreError
from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.review import Change, Entry, Picture, State
from sparkcore.runs.store import RunStore

SYNC_S = 10  # until the reviews of people on other servers are seen
_NAME_KEY = "reviewer"
_MINE_KEY = "reviews_of_this_session"
_ERROR_KEY = "review_error"
_NOBODY = "anonymous"
_LONGEST_NAME = 60


def revision(store: RunStore) -> int:
    """Return the number of reviews that this server knows; the store is asked for more now and then."""
    try:
        _sync(store.uri, _store=store)
        return ReviewBook(store).revision()
    except SparkcoreError:  # a state folder that this server may not write
        return 0


def stamp(said: Mapping[int, State]) -> str:
    """Return a text that changes with what is said of the pictures of a run."""
    parts = ((row, one.answer, one.star, one.tags, one.note) for row, one in said.items())
    return f"{len(said)}-{crc32(repr(list(parts)).encode()):08x}"


def who() -> str:
    """Return who is reviewing: the account, or the name that was entered."""
    account = st.user.get("email") or st.user.get("name") if st.user.get("is_logged_in", False) else None
    return str(account or st.session_state.get(_NAME_KEY) or _NOBODY)


def show_name() -> None:
    """Let people without an account enter their name."""
    if not st.user.get("is_logged_in", False):
        st.text_input(
            "Your name",
            key=_NAME_KEY,
            max_chars=_LONGEST_NAME,
            placeholder="anonymous",
            help="Kept with each of your reviews.",
            persist_state="session",
        )


def say(store: RunStore, pictures: Iterable[Picture], change: Change) -> None:
    """Keep what this person says of pictures; call it from callbacks."""
    try:
        review_id = ReviewBook(store).add(who(), [Entry(change, tuple(pictures))])
        st.session_state[_MINE_KEY] = [*st.session_state.get(_MINE_KEY, []), review_id]
    except SparkcoreError as error:
        st.session_state[_ERROR_KEY] = error


def can_undo() -> bool:
    """Tell whether this person has said anything that can be taken back."""
    return bool(st.session_state.get(_MINE_KEY))


def undo(store: RunStore) -> None:
    """Take back the last review of this browser tab; call it from callbacks."""
    mine = st.session_state.get(_MINE_KEY, [])
    if not mine:
        return
    try:
        ReviewBook(store).undo(who(), mine[-1])
        st.session_state[_MINE_KEY] = mine[:-1]
    except SparkcoreError as error:
        st.session_state[_ERROR_KEY] = error


def show_error() -> None:
    """Say once why the last review was not kept."""
    error = st.session_state.pop(_ERROR_KEY, None)
    if error:
        trouble.show(error, f"Not saved: {text.escape(str(error))}")


@st.cache_data(ttl=SYNC_S, show_spinner=False)
def _sync(uri: str, _store: RunStore) -> None:
    del uri
    ReviewBook(_store).sync()
