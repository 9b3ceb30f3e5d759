"""The query string: the only place where a page keeps its state.

Widgets are drawn from it and their callbacks write to it, so that a copied link, the browser's back button and a
fresh server all lead to the same view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from sparkcore.analysis.filters import FILTER_KEYS, Filters

Value = str | Sequence[str] | None

_VIEW_KEYS = ("sort", "seed", "per", "zoom", "like", "policy", "prefer")
_PLACE = "at"  # the image id of the picture to scroll to; the browser writes it when it leaves a wall


def query() -> dict[str, list[str]]:
    """Return all parameters."""
    return {key: st.query_params.get_all(key) for key in st.query_params}


def get(name: str, default: str = "", choices: Sequence[str] | None = None) -> str:
    """Return one parameter, or `default` where it is missing or not one of `choices`."""
    value = st.query_params.get(name, default)
    return value if choices is None or value in choices else default


def get_int(name: str, default: int, minimum: int = 1) -> int:
    """Return one parameter as a whole number, at least `minimum`; `default` where it is none."""
    text = st.query_params.get(name, "")
    return max(int(text), minimum) if text.isascii() and text.isdigit() and len(text) < 10 else default


def change(values: Mapping[str, Value]) -> None:
    """Set parameters in one step of the browser's history; an empty value removes its parameter.

    The place on a wall is forgotten: it was that of the view before.
    """
    current = query()
    changed = {**current, **{name: _texts(value) for name, value in values.items()}}
    changed = {name: value for name, value in changed.items() if value and name != _PLACE}
    if changed != current:
        st.query_params.from_dict(changed)


def filters() -> Filters:
    """Return the filters in the address."""
    return Filters.from_query(query())


def set_filters(changed: Filters) -> None:
    """Write all filters, and return to the first page."""
    change({"page": None, **dict.fromkeys(FILTER_KEYS), **changed.to_query()})


def prefers_reviews() -> bool:
    """Tell whether a reviewed label counts before the true label of the run."""
    return get("prefer") == "reviews"


def place() -> str:
    """Return the image id of the picture that a wall shows in view, empty for none."""
    return get(_PLACE)


def carried(**values: Value) -> dict[str, list[str]]:
    """Return the parameters of a link to another page: run, filters, order and sizes, with `values` changed."""
    current = query()
    kept = {name: current[name] for name in ("run", *FILTER_KEYS, *_VIEW_KEYS) if name in current}
    changed = {**kept, **{name: _texts(value) for name, value in values.items()}}
    return {name: value for name, value in changed.items() if value}


def href(page: str, parameters: Mapping[str, Sequence[str]]) -> str:
    """Return the address of a page, relative to any other page of this dashboard."""
    return f"{page}?{urlencode(parameters, doseq=True)}"


def mirror(key: str, value: Any) -> str:
    """Make the widget `key` show `value`, and return the key. Call it before the widget is drawn."""
    # Also where the value is the same: on a new page the browser draws a new widget, which must be told.
    st.session_state[key] = value
    return key


def writer(key: str, name: str, to_text: Callable[[Any], Value] = str, default: Any = None) -> Callable[[], None]:
    """Return the callback of the widget `key` that writes its value to the parameter `name`.

    The default value is not written. Every change but that of the page number returns to the first page.
    """

    def write() -> None:
        value = st.session_state[key]
        text = None if value is None or value == default else to_text(value)
        change({name: text} if name == "page" else {"page": None, name: text})

    return write


def _texts(value: Value) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else list(value)
