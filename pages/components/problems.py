"""The unreadable images of a run, and the button that tries them again."""

from __future__ import annotations

from functools import partial

import pyarrow as pa
import streamlit as st

from pages.components import gallery, text, trouble
from pages.components.opened import Opened
from sparkcore import client, intake
from sparkcore.analysis.columns import Rows
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.errors import SparkcoreError

_ROWS_PER_PAGE = 200


def show_images(opened: Opened, rows: Rows) -> None:
    """Draw a paged table of unreadable images with their reasons."""
    draw = partial(_show_table, opened)
    gallery.paged(rows, draw, key="problems", per_page=_ROWS_PER_PAGE)


def show_retry(opened: Opened) -> None:
    """Draw the button that classifies the unreadable images again, in a new run that reuses all others."""
    count = opened.manifest.counts["errors"]
    with st.container(border=True):
        st.markdown("**Try again**")
        st.caption(
            "After the files have been repaired or replaced: a new run reuses all images that were readable and "
            "computes only the rest."
        )
        if not st.button(f"Retry {text.images(count)}", icon=":material/replay:", key="retry"):
            return
        try:
            roots = intake.allowed_roots(opened.store.state)
            config = intake.within_roots(RunConfig.from_dict(opened.manifest.config), roots)
            engine = EngineConfig.from_environment(store=opened.store.uri, state=opened.store.state)
            job = client.submit(config, engine, retry_failed=True, roots=roots)
        except SparkcoreError as error:
            trouble.show(error)
            return
    st.switch_page("pages/run.py", query_params={"job": job.job_id})


def _show_table(opened: Opened, rows: Rows) -> None:
    part = opened.table.take(pa.array(rows))
    sizes = part["size_bytes"].to_pylist()
    shown = {
        "File": part["file_name"],
        "Reason": text.display_names(part["error_type"]),
        "Details": part["error_message"],
        "Size": [size_bytes if size_bytes is None else text.size(size_bytes) for size_bytes in sizes],
        "Path": [text.path(origin) for origin in part["origin"].to_pylist()],
    }
    st.dataframe(
        pa.table(shown),
        hide_index=True,
        column_config={
            "File": st.column_config.TextColumn(pinned=True),
            "Details": st.column_config.TextColumn(width="large"),
            "Size": st.column_config.TextColumn(alignment="right"),
            "Path": st.column_config.TextColumn(width="large"),
        },
        alt="Unreadable images with their reasons",
    )
