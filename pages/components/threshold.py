"""A slider for the least score, what it would keep, and the button that makes it a filter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import streamlit as st

from pages.components import address
from pages.components.filters import set_filter
from sparkcore.analysis.filters import Filters

_KEY = "scores_threshold"
_DEFAULT = 50  # percent


def value() -> float:
    """Return the least score of the address, 0 to 1."""
    return min(address.get_int("threshold", _DEFAULT, 0), 100) / 100


def show(curve: pa.Table, wanted: Filters) -> None:
    """Draw the slider with images kept, and with accuracy where `curve` has it."""
    percent = st.slider(
        "Least score",
        0,
        100,
        key=address.mirror(_KEY, round(100 * value())),
        format="%d%%",
        on_change=address.writer(_KEY, "threshold", default=_DEFAULT),
    )
    at = at_threshold(curve, percent / 100)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.metric("Images kept", f"{at['images']:,}", width="content")
        st.metric("Share kept", f"{at['share']:.1%}", width="content")
        if "accuracy" in at:
            st.metric("Right among them", "-" if at["accuracy"] is None else f"{at['accuracy']:.1%}", width="content")
        st.button(
            f"Keep from {percent}%",
            icon=":material/filter_alt:",
            on_click=set_filter,
            kwargs={"score": (percent / 100, None if wanted.score is None else wanted.score[1])},
            key="scores_keep",
        )


def at_threshold(curve: pa.Table, least: float) -> dict[str, float | None]:
    """Return the row of a curve of thresholds that is nearest to a least score."""
    row = int(np.abs(curve["threshold"].to_numpy() - least).argmin())
    found: dict[str, float | None] = curve.slice(row, 1).to_pylist()[0]
    return found
