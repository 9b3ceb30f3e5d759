"""Names with values, as a list that wraps in any width."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

_STYLE = """<style>
.facts { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .45rem 1.2rem; margin: 0 !important;
         padding: 0 !important;
         font-size: .9rem; line-height: 1.4; }
.facts dt { opacity: .75; }
.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
</style>"""


def show(facts: Mapping[str, str | None]) -> None:
    """Draw the facts that have a value."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    st.html(f'{_STYLE}<dl class="facts">{rows}</dl>')
