"""The line above charts: how many images the filters leave, the way to them, and their export."""

from __future__ import annotations

import streamlit as st

from pages.components import address, exports
from pages.components.frame import PAGES, Opened
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.filters import Filters


def show(opened: Opened, wanted: Filters, rows: Rows) -> None:
    """Draw the count of images, a link to them in the gallery, and the export menu."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{len(rows):,}** of {opened.table.num_rows:,} images", width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if len(rows):
                st.page_link(
                    "pages/gallery.py",
                    label="See them in the gallery",
                    icon=PAGES["gallery"][1],
                    query_params=address.carried(**wanted.to_query()),
                )
            exports.show(exports.Shown(opened.store, opened.manifest, opened.table, rows, wanted))
