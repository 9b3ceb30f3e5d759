"""Images that two runs label differently, side by side: the picture as each run shows it, and both predictions."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import address, gallery, text
from pages.components.opened import Opened
from pages.components.wall import FRAME_CSS, FRAME_JS
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.explanation import has_maps, heat_thumbnails
from sparkcore.imaging.lettering import display_name

_PREDICTIONS = 5
_HEAT = "heat"  # the parameter that asks for heat maps

_CSS = (
    FRAME_CSS
    + """
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 14px;
         font-family: var(--st-font); color: var(--st-text-color); list-style: none; margin: 0; padding: 3px; }
.pairs > li { margin: 0; padding: 10px; border: 1px solid var(--st-border-color);
              border-radius: var(--st-base-radius); min-width: 0; }
.name { font-size: 12px; opacity: .78; margin-bottom: 6px; overflow: hidden; text-overflow: ellipsis;
        white-space: nowrap; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
.side { min-width: 0; }
ol { list-style: none; margin: 6px 0 0; padding: 0; font-size: 12px; line-height: 1.3; }
ol li { position: relative; display: flex; gap: 8px; margin: 2px 0; padding: 2px 6px; border-radius: 3px;
        overflow: hidden; }
ol li i { position: absolute; inset: 0 auto 0 0; width: var(--share); background: var(--st-primary-color);
          opacity: .16; }
ol li span { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
ol li b { font-weight: 400; font-variant-numeric: tabular-nums; }
"""
)

_JS = (
    FRAME_JS
    + """
const sideOf = (parent, side) => {
  const element = make(parent, "div", "side")
  linkOf(element, side)
  const predictions = make(element, "ol")
  side.predictions.forEach(([label, score, share]) => {
    const prediction = make(predictions, "li")
    prediction.style.setProperty("--share", share)
    make(prediction, "i").setAttribute("aria-hidden", "true")
    make(prediction, "span", "", label).title = label
    make(prediction, "b", "", score)
  })
}

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector(".pairs")
  list.style.setProperty("--row", `${data.row}px`)
  list.replaceChildren(
    ...data.pairs.map((pair) => {
      const item = document.createElement("li")
      make(item, "div", "name", pair[0].file_name)
      const sides = make(item, "div", "sides")
      pair.forEach((side) => sideOf(sides, side))
      return item
    }),
  )
  bringBack(list, data.at)
}
"""
)

_component = st.components.v2.component("pairs", html='<ul class="pairs"></ul>', css=_CSS, js=_JS)


def show_names(left: Opened, right: Opened) -> None:
    """Say which run is on which side."""
    st.caption(f"**Left:** this run, {text.escape(left.name)}. **Right:** other run, {text.escape(right.name)}.")
    if has_maps(left.manifest) or has_maps(right.manifest):
        key = address.mirror("compare_heat", _is_heated())
        st.toggle(
            "Where each model looked",
            key=key,
            on_change=address.writer(key, _HEAT, lambda value: "1" if value else None),
            help="Orange speaks for the label of that run, blue against it.",
        )


def show(left: Opened, right: Opened, rows: tuple[Rows, Rows], part: Rows, *, key: str) -> None:
    """Draw the images at the places `part` of the row numbers, left and right; a click opens a picture in its run."""
    sides = [_sides(run, numbers[part]) for run, numbers in zip((left, right), rows, strict=True)]
    pairs = [list(pair) for pair in zip(*sides, strict=True)]
    data = {"pairs": pairs, "row": gallery.row_height(), "at": address.place()}
    _component(key=key, data=data)


def _sides(run: Opened, rows: Rows) -> list[dict[str, Any]]:
    tops = run.table["top"].take(pa.array(rows)).to_pylist()
    tiles = [asdict(tile) for tile in gallery.make_tiles(run, rows)]
    return [
        {**tile, "predictions": [_prediction(one) for one in (top or [])[:_PREDICTIONS]]}
        for tile, top in zip(_heated(run, tiles) if _is_heated() else tiles, tops, strict=True)
    ]


def _is_heated() -> bool:
    return address.get(_HEAT) == "1"


def _heated(run: Opened, tiles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tiles with their pictures under the evidence for their label, as far as it is known."""
    contents = {tile["image_id"]: base64.b64decode(tile["picture"].partition(",")[2]) for tile in tiles}
    known = heat_thumbnails(run.store, run.manifest, {name: content for name, content in contents.items() if content})
    pictures = {name: "data:image/jpeg;base64," + base64.b64encode(content).decode() for name, content in known.items()}
    return [{**tile, "picture": pictures.get(tile["image_id"], tile["picture"])} for tile in tiles]


def _prediction(one: dict[str, Any]) -> tuple[str, str, str]:
    return display_name(one["label"]), text.percent(one["score"]), f"{100 * one['score']:.1f}%"
