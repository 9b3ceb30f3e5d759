"""The query string: the one place where a page keeps what it shows.

Widgets are drawn from it and their callbacks write into it, so that a copied link, the browser's back button and a
fresh server all lead to the same view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from sparkcore.analysis.filters import FILTER_KEYS, Filters

Value = str | Sequence[str] | None

ORDER_KEYS = ("sort", "seed")


def query() -> dict[str, list[str]]:
    """Return all parameters of the address."""
    return {key: st.query_params.get_all(key) for key in st.query_params}


def get(name: str, default: str = "", choices: Sequence[str] | None = None) -> str:
    """Return one parameter; what is missing or none of `choices` counts as `default`."""
    value = st.query_params.get(name, default)
    return value if choices is None or value in choices else default


def get_int(name: str, default: int, least: int = 1) -> int:
    """Return one parameter as a whole number of at least `least`."""
    text = st.query_params.get(name, "")
    return max(int(text), least) if text.isascii() and text.isdigit() and len(text) < 10 else default


def change(values: Mapping[str, Value]) -> None:
    """Set parameters, or remove those with an empty value, as one step of the browser's history."""
    current = query()
    changed = {**current, **{name: _texts(value) for name, value in values.items()}}
    changed = {name: value for name, value in changed.items() if value}
    if changed != current:
        st.query_params.from_dict(changed)


def filters() -> Filters:
    """Return the filters of the address."""
    return Filters.from_query(query())


def carried(**values: Value) -> dict[str, list[str]]:
    """Return what a link to another page takes along: run, filters and order, with `values` changed."""
    current = query()
    kept = {name: current[name] for name in ("run", *FILTER_KEYS, *ORDER_KEYS) if name in current}
    changed = {**kept, **{name: _texts(value) for name, value in values.items()}}
    return {name: value for name, value in changed.items() if value}


def href(page: str, parameters: Mapping[str, Sequence[str]]) -> str:
    """Return the address of a page of this dashboard, relative to any other of its pages."""
    return f"{page}?{urlencode(parameters, doseq=True)}"


def mirror(key: str, value: Any) -> str:
    """Make the widget `key` show `value`, and return the key; to be called before the widget is drawn."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def writer(key: str, name: str, to_text: Callable[[Any], Value] = str, default: Any = None) -> Callable[[], None]:
    """Return the callback of the widget `key` that writes its value into the parameter `name`.

    The default value is not written; any change but that of the page number leads back to the first page.
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
