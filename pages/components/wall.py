"""The wall in the browser: one element for all its pictures, so that a page flip costs the server little."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components.place import HOLD_JS

CORRECT, INCORRECT = "correct", "incorrect"

# A picture with its label on it; `side_by_side` draws the same.
FRAME_CSS = """
a { display: block; color: inherit; text-decoration: none; border-radius: var(--st-base-radius); outline-offset: 2px; }
a:focus-visible { outline: 3px solid var(--st-primary-color); }
.frame { position: relative; height: var(--row); overflow: hidden; border-radius: var(--st-base-radius);
         background: var(--st-secondary-background-color); }
.frame img { display: block; width: 100%; height: 100%; object-fit: cover; transition: transform .2s; }
a:hover img { transform: scale(1.03); }
@media (prefers-reduced-motion: reduce) { .frame img { transition: none; } a:hover img { transform: none; } }
.bar { position: absolute; inset: auto 0 0 0; display: flex; gap: 8px; align-items: baseline; padding: 4px 8px 5px;
       background: rgba(16, 19, 23, .8); color: #fff; font-size: 13px; line-height: 1.35; }
.bar b { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }
.bar span { font-variant-numeric: tabular-nums; }
.mark { position: absolute; top: 6px; right: 6px; width: 20px; height: 20px; border-radius: 50%; color: #fff;
        font-size: 12px; line-height: 20px; text-align: center; font-weight: 700; }
.mark.correct { background: #00694d; }
.mark.incorrect { background: #b04400; }
.broken { display: flex; align-items: center; justify-content: center; height: 100%; padding-bottom: 20px;
          box-sizing: border-box; font-size: 34px; color: var(--st-text-color); opacity: .55; }
"""

FRAME_JS = (
    HOLD_JS
    + """
const make = (parent, tag, name, text) => {
  const element = document.createElement(tag)
  if (name) element.className = name
  if (text) element.textContent = text
  parent.append(element)
  return element
}

const openHere = (link) => {
  link.onclick = (event) => {
    // With a modifier key, the browser itself opens the link in a new tab.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    const here = new URL(location.href)
    here.searchParams.set("at", link.dataset.image)  // the way back leads to this picture
    history.replaceState(history.state, "", here)
    // One step of the history, as if it were the browser's own; a switch of the page by the server makes two.
    history.pushState({}, "", link.href)
    window.dispatchEvent(new PopStateEvent("popstate", { state: {} }))
  }
}

const linkOf = (parent, tile) => {
  const link = make(parent, "a")
  link.href = tile.href
  link.dataset.image = tile.image_id
  link.title = tile.file_name
  const frame = make(link, "div", "frame")
  if (tile.picture) {
    const picture = make(frame, "img")
    picture.src = tile.picture
    picture.alt = tile.alt
    picture.decoding = "async"
  } else {
    const broken = make(frame, "div", "broken", "\\u2298")
    broken.setAttribute("role", "img")
    broken.setAttribute("aria-label", tile.alt)
  }
  const bar = make(frame, "div", "bar")
  bar.setAttribute("aria-hidden", "true")
  make(bar, "b", "", tile.label)
  if (tile.score) make(bar, "span", "", tile.score)
  if (tile.mark) {
    const mark = make(frame, "div", `mark ${tile.mark}`, tile.mark === "correct" ? "\\u2713" : "\\u2717")
    mark.setAttribute("aria-hidden", "true")
  }
  openHere(link)
  return link
}

const bringBack = (list, at) => {
  if (at && list.dataset.at !== at) hold(() => list.querySelector(`a[data-image="${CSS.escape(at)}"]`), "center")
  list.dataset.at = at
}
"""
)

_CSS = (
    FRAME_CSS
    + """
.wall { display: flex; flex-wrap: wrap; gap: 10px; font-family: var(--st-font); list-style: none;
        margin: 0; padding: 3px; }
.wall li { flex: var(--grow) 1 var(--basis); min-width: 96px; max-width: 100%; margin: 0; }
.wall li.rest { flex: 1000 1 0; min-width: 0; height: 0; }
@media (max-width: 600px) {
  .wall.dense li:not(.rest) { flex-basis: 42%; }
  .wall.dense .frame { height: 130px; }
}
.wall li { position: relative; }
.choose { position: absolute; top: 6px; left: 6px; width: 24px; height: 24px; margin: 0; opacity: 0; cursor: pointer;
          accent-color: var(--st-primary-color); }
.wall.choosing .choose, li:hover .choose, .choose:focus-visible, .choose:checked { opacity: 1; }
@media (hover: none) { .choose { opacity: .8; } }
li.chosen .frame { outline: 3px solid var(--st-primary-color); outline-offset: -3px; }
.below { padding: 3px 2px 4px; font-size: 12px; line-height: 1.35; color: var(--st-text-color); }
.below div { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.below .name { opacity: .78; }
"""
)

_JS = (
    FRAME_JS
    + """
const tileOf = (tile, row) => {
  const item = document.createElement("li")
  const ratio = Math.min(Math.max(tile.ratio, 0.7), 1.9)
  item.style.setProperty("--grow", ratio)
  item.style.setProperty("--basis", `${Math.round(ratio * row)}px`)
  const link = linkOf(item, tile)
  const below = make(link, "div", "below")
  if (tile.note) make(below, "div", "note", tile.note)
  if (tile.truth) make(below, "div", "truth", `true: ${tile.truth}`)
  make(below, "div", "name", tile.file_name)
  return item
}

// A click chooses one picture; with the shift key, all from the last one that was clicked. The element itself does not
// outlive the answer to a click.
const addBox = (wall, item, tile, tell) => {
  const box = make(item, "input", "choose")
  box.type = "checkbox"
  box.setAttribute("aria-label", `Choose ${tile.file_name}`)
  box.dataset.image = tile.image_id
  box.onclick = (event) => {
    const boxes = [...wall.querySelectorAll(".choose")]
    const here = boxes.indexOf(box)
    const last = boxes.findIndex((one) => one.dataset.image === window.sparkcoreLastChosen)
    const from = event.shiftKey && last >= 0 ? last : here
    const range = boxes.slice(Math.min(from, here), Math.max(from, here) + 1)
    for (const one of range) mark(one, box.checked)
    window.sparkcoreLastChosen = tile.image_id
    tell({ on: box.checked, images: range.map((one) => one.dataset.image) })
  }
}

const mark = (box, isChosen) => {
  box.checked = isChosen
  box.parentElement.classList.toggle("chosen", isChosen)
}

export default function ({ data, parentElement, setTriggerValue }) {
  const wall = parentElement.querySelector(".wall")
  wall.style.setProperty("--row", `${data.row}px`)
  wall.classList.toggle("dense", data.row < 200)
  // Drawn anew only where the pictures differ: a choice keeps the focus where it is.
  const drawn = JSON.stringify([data.tiles, data.row])
  if (wall.drawn !== drawn) {
    wall.replaceChildren(...data.tiles.map((tile) => tileOf(tile, data.row)))
    make(wall, "li", "rest").setAttribute("aria-hidden", "true")
  }
  wall.drawn = drawn
  if (data.choice) {
    wall.classList.toggle("choosing", data.choice.choosing)
    data.tiles.forEach((tile, place) => {
      const item = wall.children[place]
      if (!item.querySelector(".choose")) addBox(wall, item, tile, (change) => setTriggerValue("choice", change))
      mark(item.querySelector(".choose"), data.choice.chosen.includes(tile.image_id))
    })
  }
  bringBack(wall, data.at)
}
"""
)

_component = st.components.v2.component("wall", html='<ul class="wall"></ul>', css=_CSS, js=_JS)


@dataclass(frozen=True, slots=True)
class View:
    """Say how a wall is drawn: rows of about `row_height` pixels, with the picture `at` in view (empty: any)."""

    row_height: int
    at: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold the image ids that are chosen, whether any picture of the run is, and who hears of changes.

    `listen` gets {"on": whether they are chosen now, "images": ids}.
    """

    chosen: Sequence[str]
    choosing: bool
    listen: Callable[[Mapping[str, Any]], None]


def draw_wall(tiles: Sequence[Mapping[str, Any]], view: View, *, key: str, choice: Choice | None = None) -> None:
    """Draw the tiles; a click on one opens its link, one on its box chooses it where there is a `choice`."""
    data: dict[str, Any] = {"tiles": list(tiles), "row": view.row_height, "at": view.at}
    if choice is None:
        _component(key=key, data=data)
        return

    def hear() -> None:
        change = st.session_state[key].get("choice")
        if change:
            choice.listen(change)

    data["choice"] = {"chosen": list(choice.chosen), "choosing": choice.choosing}
    _component(key=key, data=data, on_choice_change=hear)
