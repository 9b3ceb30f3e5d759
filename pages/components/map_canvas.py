"""The map in the browser: points or cells on a canvas, thumbnails on it, a box that selects, and the key to colors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components.wall import FRAME_JS

_HTML = """
<div class="map">
  <div class="plot">
    <canvas role="img"></canvas><div class="shown"></div><div class="box"></div><div class="tip"></div>
  </div>
  <div class="key"></div>
</div>
"""

_BESIDE = Path(__file__)

_component = st.components.v2.component(
    "map",
    html=_HTML,
    css=_BESIDE.with_suffix(".css").read_text(encoding="utf-8"),
    js=FRAME_JS + _BESIDE.with_suffix(".js").read_text(encoding="utf-8"),
)


def show(
    data: Mapping[str, Any],
    *,
    key: str,
    on_area: Callable[[Sequence[float]], None],
    on_kind: Callable[[str], None],
) -> None:
    """Draw a map; `on_area` gets the sides of a selected box as shares of the drawing, `on_kind` a kind of the key."""

    def hear_area() -> None:
        sides = st.session_state[key].get("area")
        if sides:
            on_area(sides)

    def hear_kind() -> None:
        kind = st.session_state[key].get("kind")
        if kind:
            on_kind(kind)

    _component(key=key, data=dict(data), on_area_change=hear_area, on_kind_change=hear_kind)
