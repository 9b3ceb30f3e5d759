"""The router of the dashboard: `streamlit run dashboard.py`."""

from __future__ import annotations

import streamlit as st

from pages.components import address, frame

st.set_page_config(page_title=frame.NAME, page_icon=frame.ICON, layout="wide")


def start() -> None:
    """Lead to the newest run, or to where the first one is started."""
    manifests = frame.finished_runs(frame.open_store())
    page = "gallery" if manifests else "run"
    st.switch_page(f"pages/{page}.py", query_params=address.query())


home = st.Page(start, title="Start", default=True, visibility="hidden")
pages = [
    st.Page(f"pages/{name}.py", title=title, url_path=name, help=about)
    for name, (title, _, about) in frame.PAGES.items()
]
st.navigation([home, *pages], position="hidden").run()
