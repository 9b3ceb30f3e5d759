"""A slider for the minimum score, the images that it keeps, and the button that turns it into a filter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import streamlit as st

from pages.components import address, place, text
from pages.components.filters import set_filter
from sparkcore.analysis.filters import Filters

_KEY = "scores_threshold"
_DEFAULT = 50  # percent


def value() -> float:
    """Return the minimum score in the address, 0 to 1."""
    return min(address.get_int("threshold", _DEFAULT, 0), 100) / 100


def show(curve: pa.Table, wanted: Filters) -> None:
    """Draw the slider with the images kept and, where `curve` has it, their accuracy."""
    percent = st.slider(
        "Minimum score",
        0,
        100,
        key=address.mirror(_KEY, round(100 * value())),
        format="%d %%",
        on_change=address.writer(_KEY, "threshold", default=_DEFAULT),
    )
    at = at_threshold(curve, percent / 100)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.metric("Images kept", f"{at['images']:,}", width="content")
        st.metric("Share kept", text.percent(at["share"] or 0.0), width="content")
        if "accuracy" in at:
            accuracy = at["accuracy"]
            st.metric("Accuracy", "-" if accuracy is None else text.percent(accuracy), width="content")
        st.button(
            f"Show only ≥ {percent} %",
            icon=":material/filter_alt:",
            on_click=_keep,
            args=(percent / 100, None if wanted.score is None else wanted.score[1]),
            key="scores_keep",
        )


def _keep(low: float, high: float | None) -> None:
    set_filter(score=(low, high))
    place.ask()  # the chip of the new filter is at the top


def at_threshold(curve: pa.Table, minimum: float) -> dict[str, float | None]:
    """Return the row of a curve of thresholds that is nearest to a minimum score."""
    row = int(np.abs(curve["threshold"].to_numpy() - minimum).argmin())
    found: dict[str, float | None] = curve.slice(row, 1).to_pylist()[0]
    return found
