"""Run some pictures of a run again, with another model or setting: the filtered ones, or those that are chosen."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import trouble
from pages.components.opened import Opened
from sparkcore.analysis.columns import Rows
from sparkcore.errors import SparkcoreError
from sparkcore.runs.lists import write_list
from sparkcore.runs.notes import source_name


def show(opened: Opened, rows: Rows, *, key: str) -> None:
    """Draw the button that opens the form for a run over these rows."""
    count, total = len(rows), opened.table.num_rows
    label = "Run all again with …" if count == total else f"Run {'this' if count == 1 else 'these'} {count:,} with …"
    if st.button(
        label,
        key=key,
        icon=":material/replay:",
        disabled=not count,
        help="Opens the form for a new run over these pictures, with the settings of this one, to be changed.",
    ):
        _open(opened, rows)


def _open(opened: Opened, rows: Rows) -> None:
    query: dict[str, Any] = {"repeat": opened.run_id}
    if len(rows) < opened.table.num_rows:
        origins = opened.table["origin"].take(pa.array(rows))
        try:
            path = write_list(opened.store, origins, source_name(opened.manifest.config["images"]))
        except SparkcoreError as error:
            trouble.show(error)
            return
        query["list"] = path.parent.name
    st.switch_page("pages/run.py", query_params=query)
