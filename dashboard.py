"""The dashboard's entry point: `streamlit run dashboard.py`."""

from __future__ import annotations

import streamlit as st

from pages.components import address, frame, trouble
from pages.components.opened import finished_runs, open_store

st.set_page_config(page_title=frame.NAME, page_icon=frame.ICON, layout="wide")


def start() -> None:
    """Go to the newest run, or to the form for the first one."""
    page = "gallery" if finished_runs(open_store()) else "run"
    st.switch_page(f"pages/{page}.py", query_params=address.query())


home = st.Page(start, title="Start", default=True, visibility="hidden")
pages = [st.Page(f"pages/{name}.py", title=title, url_path=name) for name, (title, _, _) in frame.PAGES.items()]
with trouble.guarded():
    st.navigation([home, *pages], position="hidden").run()
