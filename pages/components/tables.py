"""What tables of numbers have in common: their height, and columns of shares."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import pyarrow as pa
import streamlit as st

_FEW_ROWS = 10
_HEIGHT = 420  # pixels, of a table that scrolls


def height(rows: int) -> int | Literal["content"]:
    """Return the height of a table: that of its rows, unless these are many."""
    return "content" if rows <= _FEW_ROWS else _HEIGHT


def show(title: str, note: str, columns: dict[str, Any], config: dict[str, Any], **more: Any) -> None:
    """Draw a table in a card under its title and a sentence; `more` is what else `st.dataframe` takes."""
    table = pa.table(columns)
    with st.container(border=True):
        st.markdown(title)
        st.caption(note)
        st.dataframe(table, hide_index=True, height=height(table.num_rows), column_config=config, **more)


count = partial(st.column_config.NumberColumn, format="localized")
percent = partial(st.column_config.NumberColumn, format="%.1f %%")
bar = partial(st.column_config.ProgressColumn, min_value=0.0, max_value=100.0, format="%.1f %%")
