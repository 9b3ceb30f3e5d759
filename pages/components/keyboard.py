"""Keys that Streamlit's shortcuts do not know: `?` opens the help sheet, and letters go to the search of classes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

Keys = Sequence[tuple[str, str]]

_HELP = "keyboard_help"
# Streamlit's own keys C and R would take these letters of a search; the listener sees them first.
_JS = """
const isTyping = () => {
  const element = document.activeElement
  return element?.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element?.tagName)
}

const focus = (key) => document.querySelector(`.st-key-${CSS.escape(key)} :is(input, textarea)`)?.focus()

export default function ({ data, setTriggerValue }) {
  const state = (window.sparkcoreKeys ??= {})
  // A clicked button would take the next Enter: the keys belong to the new picture.
  if (state.subject !== data.subject && document.activeElement?.closest("button, [class*=search]")) {
    document.activeElement.blur()
  }
  state.subject = data.subject
  const listen = (event) => {
    if (isTyping() || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("[role=dialog]")) return
    const place = data.places[event.key]
    const isLetter = /^\\p{Ll}$/u.test(event.key)
    if (event.key === "?") setTriggerValue("help", Date.now())
    else if (place) focus(place)
    else if (isLetter && data.search) focus(data.search)  // the letter itself is typed there
    else return
    event.stopImmediatePropagation()
    if (!isLetter) event.preventDefault()
  }
  window.addEventListener("keydown", listen, true)
  return () => window.removeEventListener("keydown", listen, true)
}
"""

_component = st.components.v2.component("keyboard", html="<span></span>", js=_JS)


def show(keys: Keys, *, subject: str, search: str, places: dict[str, str]) -> None:
    """Listen to the keyboard, and draw the help sheet where it is asked for.

    `keys` are pairs of key and meaning. Letters go to the field in the container `search`, a key of `places` to the
    field in its container. `subject` names what the page is about: a new one takes the focus from what was clicked.
    """
    with st.container(key="keyboard"):
        _component(
            key="keyboard_listener",
            data={"subject": subject, "search": search, "places": places},
            on_help_change=ask_help,
        )
    if st.session_state.pop(_HELP, False):
        _sheet(keys)


def ask_help() -> None:
    """Open the help sheet with the next run of the script; call it from callbacks."""
    st.session_state[_HELP] = True


@st.dialog("Keys", icon=":material/keyboard:")
def _sheet(keys: Keys) -> None:
    lines = "\n".join(f"| `{key}` | {meaning} |" for key, meaning in keys)
    st.markdown(f"| key | what it does |\n|---|---|\n{lines}")
