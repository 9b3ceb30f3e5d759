"""Buttons that copy a text, or the address of the page, to the clipboard."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

_CSS = """
.copy { display: flex; flex-wrap: wrap; gap: 4px 14px; font-family: var(--st-font); }
button { padding: 6px 0; font: inherit; font-size: 14px; color: var(--st-link-color); background: none; border: 0;
         cursor: pointer; border-radius: 4px; }
button:hover { text-decoration: underline; }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
"""
_JS = """
const copy = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  // Without encryption, browsers have no clipboard but that of a selection.
  const area = document.createElement("textarea")
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector(".copy")
  list.replaceChildren(...Object.entries(data).map(([label, text]) => {
    const button = document.createElement("button")
    button.textContent = label
    button.onclick = async () => {
      await copy(text || location.href)
      button.textContent = "Copied"
      setTimeout(() => (button.textContent = label), 1500)
    }
    return button
  }))
}
"""

_component = st.components.v2.component("copying", html='<div class="copy"></div>', css=_CSS, js=_JS)


def show(texts: Mapping[str, str], *, key: str) -> None:
    """Draw a button for each text by its label; an empty text is the address of the page."""
    _component(key=key, data=dict(texts))
