"""Guess and truth of all rows of a run, worked out once for all viewers."""

from __future__ import annotations

import pyarrow as pa
import streamlit as st

from pages.components.frame import Opened
from sparkcore.analysis.truth import Match, has_truth, match


def judge(opened: Opened) -> Match | None:
    """Return what is true and what was guessed for every row; None where no truth is known."""
    return _judge((str(opened.store.root), opened.run_id, opened.manifest.finished_at), opened.table)


@st.cache_resource(max_entries=8, show_spinner=False)
def _judge(run: tuple[str, ...], _table: pa.Table) -> Match | None:
    del run  # the key, in place of the table
    return match(_table) if has_truth(_table) else None
