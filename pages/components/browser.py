"""A browser of the folders below the roots: folders to click with their numbers of pictures, and the first pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from pages.components import text
from sparkcore import intake
from sparkcore.errors import ImageError, SparkcoreError
from sparkcore.folders import Content, Count, look_into
from sparkcore.imaging.bounded import Bounds, PictureChecker
from sparkcore.origins import file_name, local_path
from sparkcore.roots import Root

_SEEN_S = 60
_LONG_SIDE = 240  # pixels
_WIDTH = 86
_MOST_BYTES = 50_000_000
_PREVIEWS_S = 5.0
_BOUNDS = Bounds(pixels=60_000_000, time_s=3.0)


def show(place: str | None, roots: Sequence[Root], key: str) -> None:
    """Draw what is in a folder, or the roots for none; a click on another one writes its place to the widget `key`."""
    if place is None:
        with st.container(horizontal=True, gap="small", key="browser_roots"):
            for root in intake.given_roots():
                _button(text.escape(str(root)), str(root), key)
        return
    try:
        found = _content(place, tuple(roots))
    except SparkcoreError:
        return  # a file, a pattern, or a place that the form has already said something about
    with st.container(border=True, key="browser"):
        with st.container(horizontal=True, gap="small", key="browser_folders"):
            if found.parent is not None:
                _button("Up", found.parent, key, icon=":material/arrow_upward:")
            for folder in found.folders:
                _button(f"{text.escape(folder.name)} :gray[{_said(folder.count)}]", folder.place, key)
        if found.folders and (found.own.pictures or not found.own.is_all):
            st.caption(f"{_said(found.own)} {'is' if found.own.pictures == 1 else 'are'} directly in this folder.")
        if not found.is_all:
            st.caption("There are more folders. Enter the path of one above.")
        show_pictures(found.first, roots)


def show_pictures(origins: Sequence[str], roots: Sequence[Root]) -> None:
    """Draw small pictures of files that were never read before; those that cannot be read are left out."""
    pictures = _previews(tuple(origins), tuple(roots))
    if pictures:
        with st.container(horizontal=True, gap="small", key="browser_pictures"):
            for origin, content in pictures.items():
                st.image(content, width=_WIDTH, alt=file_name(origin))


def _button(label: str, place: str, key: str, **given: Any) -> None:
    st.button(label, key=f"browse_to_{place}", on_click=_go, args=(key, place), type="tertiary",
              **{"icon": ":material/folder:", **given})  # fmt: skip


def _go(key: str, place: str) -> None:
    st.session_state[key] = place


def _said(count: Count) -> str:
    if not count.is_all:
        return f"{count.pictures:,} pictures or more"
    return {0: "no pictures", 1: "1 picture"}.get(count.pictures, f"{count.pictures:,} pictures")


@st.cache_data(ttl=_SEEN_S, max_entries=100, show_spinner="Looking into the folder …")
def _content(place: str, roots: tuple[Root, ...]) -> Content:
    return look_into(place, roots)


@st.cache_data(ttl=_SEEN_S, max_entries=100, show_spinner="Looking at the first pictures …")
def _previews(origins: tuple[str, ...], roots: tuple[Root, ...]) -> dict[str, bytes]:
    found, until = {}, time.monotonic() + _PREVIEWS_S
    with PictureChecker(_BOUNDS) as checker:  # nobody knows yet what these files do to a decoder
        for origin in origins:
            path = local_path(origin)
            with suppress(ImageError, SparkcoreError, OSError):
                if time.monotonic() < until and (path is None or path.stat().st_size <= _MOST_BYTES):
                    found[origin] = checker.check(intake.open_allowed(origin, roots), _LONG_SIDE) or b""
    return found
