"""Which true label counts where a picture has two: that of its folder, or that of a review."""

from __future__ import annotations

import streamlit as st

from pages.components import address
from pages.components.opened import Opened

_KEY = "prefer_reviews"


def show(opened: Opened) -> None:
    """Draw the switch, where some pictures have both."""
    if not opened.given_and_reviewed:
        return
    count = opened.given_and_reviewed
    st.toggle(
        "Reviews first",
        key=address.mirror(_KEY, address.prefers_reviews()),
        on_change=address.writer(_KEY, "prefer", lambda _: "reviews", default=False),
        help=f"{count:,} {'picture has' if count == 1 else 'pictures have'} both a true label of the run and a "
        "reviewed one. On, the reviewed one counts; off, that of the run. Exports follow the switch.",
    )
