"""The part of a page that the browser shows: what a click asked for is scrolled into view.

Another page begins at its top. `ask` names the part of the same page that the next run of the script brings into view.
"""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

TOP = "top"
_KEY = "place_asked"

# A chart above the wanted part that is drawn late would push it away again: the part is held until the reader acts.
HOLD_JS = """
const HOLD_MS = 2500

const hold = (find, block) => {
  const token = Symbol()
  const state = (window.sparkcorePlace ??= {})
  const until = performance.now() + HOLD_MS
  const stop = () => (state.token = null)
  state.token = token
  for (const name of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    window.addEventListener(name, stop, { once: true, passive: true, capture: true })
  }
  const step = () => {
    if (state.token !== token) return
    find()?.scrollIntoView({ block })
    if (performance.now() < until) requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
}
"""

_JS = (
    HOLD_JS
    + """
export default function ({ data }) {
  const state = (window.sparkcorePlace ??= {})
  const moved = state.page !== undefined && state.page !== data.page
  const asked = data.asked && state.asked !== data.asked
  state.page = data.page
  state.asked = data.asked
  if (asked && data.target !== "top") {
    hold(() => document.querySelector(`.st-key-${CSS.escape(data.target)}`), "start")
  } else if (asked || moved) {
    document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0 })
  }
}
"""
)

_component = st.components.v2.component("place", html="<span></span>", js=_JS)


def ask(target: str = TOP) -> None:
    """Bring the container with the key `target` into view once it is drawn; call it from callbacks."""
    st.session_state[_KEY] = (target, uuid4().hex)


def show(page: str) -> None:
    """Let the browser bring into view what was asked for; draw it once on every page."""
    target, asked = st.session_state.get(_KEY, (TOP, ""))
    with st.container(key="place"):
        _component(key="place_watch", data={"page": page, "target": target, "asked": asked})
