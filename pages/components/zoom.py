"""One picture in full resolution: wheel, pinch, keys and buttons zoom, a drag moves it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import text, trouble
from sparkcore.errors import ImageError
from sparkcore.imaging.annotate import to_jpeg
from sparkcore.imaging.decode import decode
from sparkcore.imaging.formats import sniff

_SHOWN_BY_BROWSERS = ("JPEG", "PNG", "WEBP", "GIF")
_MOST_BYTES = 30_000_000  # of an original that is sent as it is

_HTML = """
<div class="stage" tabindex="0" role="img" aria-label="The picture in full resolution">
  <img alt="" draggable="false">
</div>
<div class="tools">
  <button data-do="out" aria-label="Smaller">&minus;</button><button data-do="in" aria-label="Larger">+</button>
  <button data-do="fit">Fit</button><button data-do="full">100 %</button><span aria-live="polite"></span>
</div>
"""
_CSS = """
.stage { position: relative; height: min(72vh, 900px); overflow: hidden; touch-action: none; cursor: grab;
         border-radius: var(--st-base-radius); background: var(--st-secondary-background-color); outline-offset: 2px; }
.stage:active { cursor: grabbing; }
.stage:focus-visible { outline: 3px solid var(--st-primary-color); }
.stage img { position: absolute; top: 0; left: 0; max-width: none; transform-origin: 0 0; user-select: none; }
.tools { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin-top: 8px; font-family: var(--st-font);
         color: var(--st-text-color); font-variant-numeric: tabular-nums; }
.tools button { white-space: nowrap; min-width: 40px; min-height: 36px; padding: 4px 12px; font: inherit;
                color: inherit; cursor: pointer;
                background: none; border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
.tools span { margin-left: 6px; opacity: .8; }
"""
_JS = """
const MOST = 16
const MOST_FITTED = 3
const STEP = 1.25

export default function ({ data, parentElement }) {
  const stage = parentElement.querySelector(".stage")
  const picture = stage.querySelector("img")
  const tools = parentElement.querySelector(".tools")
  const url = URL.createObjectURL(new Blob([data]))
  const view = { scale: 1, x: 0, y: 0 }
  const pointers = new Map()

  const fitted = () =>
    Math.min(stage.clientWidth / picture.naturalWidth, stage.clientHeight / picture.naturalHeight, MOST_FITTED)
  const draw = () => {
    const width = picture.naturalWidth * view.scale, height = picture.naturalHeight * view.scale
    const inside = (at, size, room) => (size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, at)))
    view.x = inside(view.x, width, stage.clientWidth)
    view.y = inside(view.y, height, stage.clientHeight)
    picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`
    picture.style.imageRendering = view.scale >= 4 ? "pixelated" : "auto"
    tools.querySelector("span").textContent =
      `${Math.round(100 * view.scale)} % of ${picture.naturalWidth} \u00d7 ${picture.naturalHeight}`
  }
  const zoom = (scale, x = stage.clientWidth / 2, y = stage.clientHeight / 2) => {
    const next = Math.min(MOST, Math.max(Math.min(fitted(), 1), scale))
    view.x = x - ((x - view.x) * next) / view.scale
    view.y = y - ((y - view.y) * next) / view.scale
    view.scale = next
    draw()
  }
  const place = (event) => {
    const box = stage.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  const actions = {
    in: () => zoom(view.scale * STEP), out: () => zoom(view.scale / STEP),
    fit: () => zoom(fitted()), full: () => zoom(1),
    left: () => { view.x += 60; draw() }, right: () => { view.x -= 60; draw() },
    up: () => { view.y += 60; draw() }, down: () => { view.y -= 60; draw() },
  }
  const keys = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "full", ArrowLeft: "left", ArrowRight: "right",
                 ArrowUp: "up", ArrowDown: "down" }

  stage.onwheel = (event) => {
    event.preventDefault()
    zoom(view.scale * Math.exp(-event.deltaY / 400), ...place(event))
  }
  stage.ondblclick = (event) => zoom(view.scale === 1 ? fitted() : 1, ...place(event))
  stage.onkeydown = (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation()
    actions[keys[event.key]]()
  }
  stage.onpointerdown = (event) => {
    stage.setPointerCapture(event.pointerId)
    pointers.set(event.pointerId, place(event))
  }
  stage.onpointerup = stage.onpointercancel = (event) => pointers.delete(event.pointerId)
  stage.onpointermove = (event) => {
    const before = pointers.get(event.pointerId)
    if (!before) return
    const now = place(event)
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1]
    pointers.set(event.pointerId, now)
    if (other) {
      const distance = ([x, y]) => Math.max(1, Math.hypot(x - other[0], y - other[1]))
      zoom((view.scale * distance(now)) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2)
    } else {
      view.x += now[0] - before[0]
      view.y += now[1] - before[1]
      draw()
    }
  }
  for (const button of tools.querySelectorAll("button")) button.onclick = actions[button.dataset.do]
  picture.onload = () => zoom(fitted())
  picture.src = url
  const watch = new ResizeObserver(() => picture.naturalWidth && zoom(view.scale))
  watch.observe(stage)
  stage.focus({ preventScroll: true })
  return () => {
    watch.disconnect()
    URL.revokeObjectURL(url)
  }
}
"""

_component = st.components.v2.component("zoom", html=_HTML, css=_CSS, js=_JS)


def show_button(content: bytes, name: str) -> None:
    """Draw the button that opens the picture in full resolution."""
    if st.button("Zoom", key="zoom", icon=":material/zoom_in:", help="The picture in full resolution."):
        _dialog(text.escape(name))(content)


def _dialog(name: str) -> Any:
    @st.dialog(name, width="large")
    def draw(content: bytes) -> None:
        try:
            _component(key="zoom_stage", data=_for_browser(content))
        except ImageError as error:
            trouble.show(error)

    return draw


@st.cache_data(max_entries=8, max_size="256mb", show_spinner="Preparing the picture …")
def _for_browser(content: bytes) -> bytes:
    """Return a picture as browsers show it: unchanged, or as JPEG of the same size."""
    if sniff(content) in _SHOWN_BY_BROWSERS and len(content) <= _MOST_BYTES:
        return content
    return to_jpeg(decode(content).image)
