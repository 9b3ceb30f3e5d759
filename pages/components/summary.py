"""The small tables behind the charts: made once for each run and set of filters, shared by all viewers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components.filters import matching_rows
from pages.components.frame import Opened
from sparkcore.analysis import aggregates
from sparkcore.analysis.filters import Filters


def summarize(opened: Opened, wanted: Filters, name: str, **arguments: Any) -> pa.Table:
    """Return what the function `name` of `sparkcore.analysis.aggregates` says of the images that pass."""
    run = (str(opened.store.root), opened.run_id, opened.manifest.finished_at)
    return _summary(run, opened, wanted, name, arguments)


@st.cache_resource(max_entries=128, show_spinner=False)
def _summary(run: tuple[str, ...], _opened: Opened, wanted: Filters, name: str, arguments: dict[str, Any]) -> pa.Table:
    del run  # part of the key, in place of the table
    table: pa.Table = getattr(aggregates, name)(_opened.table, rows=matching_rows(_opened, wanted), **arguments)
    return table
