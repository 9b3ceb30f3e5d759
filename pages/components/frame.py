"""What every page begins with: settings, login, navigation, the selected run, and the heading.

A page calls it first: the first request to a server reaches a page without passing through the router, which guards it,
and is sent there.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.components import address, place, text, trouble, views
from pages.components.naming import run_choices
from pages.components.opened import Opened, finished_runs, open_run, open_store
from sparkcore.errors import RunNotFoundError, SparkcoreError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.notes import read_notes
from sparkcore.runs.store import RunStore

NAME = "sparkcore"
# Drawn here, because Streamlit would fetch its named icons for the browser's tab from the internet.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0072B2"/>'
    '<circle cx="11" cy="11" r="3" fill="#F0E442"/><path d="M4 25l8-9 5 5 5-7 6 11z" fill="#fff"/></svg>'
)
# The sign and the name beside it, in a blue that is legible on both themes.
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 152 32" width="152" height="32">'
    + ICON.partition(">")[2].removesuffix("</svg>")
    + '<text x="42" y="22.5" font-family="sans-serif" font-size="20" font-weight="650" textLength="108" '
    'fill="#3087C2">sparkcore</text></svg>'
)

# Page -> (title, icon, purpose), in the order of the navigation.
PAGES = {
    "gallery": ("Gallery", ":material/grid_view:", "All pictures of a run with their labels."),
    "labels": ("Labels", ":material/label:", "How often each label was predicted."),
    "map": ("Map", ":material/scatter_plot:", "All pictures at once, similar ones near each other."),
    "image": ("Image", ":material/image:", "One picture with all its predictions."),
    "review": ("Review", ":material/how_to_reg:", "Correct labels by keyboard, and learn how good the model is."),
    "evaluate": ("Evaluate", ":material/fact_check:", "How often the predictions are correct."),
    "scores": ("Scores", ":material/bar_chart:", "How sure the model is."),
    "compare": ("Compare", ":material/compare_arrows:", "What differs between two runs."),
    "problems": ("Problems", ":material/broken_image:", "Unreadable, poor and odd pictures, and why."),
    "duplicates": ("Duplicates", ":material/content_copy:", "Equal and nearly equal pictures."),
    "run": ("New run", ":material/play_circle:", "Start a run and follow it."),
    "runs": ("All runs", ":material/history:", "All runs in this store."),
}
SECTIONS = {
    "Explore": ("gallery", "labels", "map", "duplicates", "image"),
    "Judge": ("review", "evaluate", "scores", "compare", "problems"),
    "Runs": ("run", "runs"),
}
_RUN_KEY = "frame_run"
_ROUTED_KEY = "frame_routed"
_STYLE = Path(__file__).with_name("frame.css")


def route() -> StreamlitPage:
    """Return the page of the address; the address of the server alone leads to the newest run, or to the first one."""
    st.session_state[_ROUTED_KEY] = True
    home = st.Page(_start, title="Start", default=True, visibility="hidden")
    pages = [st.Page(f"pages/{name}.py", title=title, url_path=name) for name, (title, _, _) in PAGES.items()]
    return st.navigation([home, *pages], position="hidden")


def _start() -> None:
    page = "gallery" if finished_runs(open_store()) else "run"
    st.switch_page(f"pages/{page}.py", query_params=address.query())


def show(page: str) -> Opened | None:
    """Draw everything above the content of a page that shows one run, and return that run.

    The run is that of `?run=`, else the newest. Returns None where there is no such run, after saying what to do.
    """
    store = begin(page)
    try:
        manifests = finished_runs(store)
    except SparkcoreError as error:
        heading(page)
        trouble.show(error)
        return None
    if not manifests:
        heading(page)
        _show_empty()
        return None
    run_id = address.get("run")
    if not run_id:
        run_id = manifests[0].run_id
        address.change({"run": run_id})
    _show_run_choice(store, manifests, run_id)
    try:
        opened = open_run(store, run_id)
    except SparkcoreError as error:
        heading(page)
        _show_error(run_id, error)
        return None
    name_tab(page, opened.name)
    heading(page, _facts(opened), store)
    return opened


def begin(page: str) -> RunStore:
    """Draw what comes before the heading, and return the store."""
    if not st.session_state.get(_ROUTED_KEY):  # until the router has run once, a server starts pages without its guard
        route()
        st.rerun()
    name_tab(page)
    st.logo(_LOGO, size="large", icon_image=ICON)
    st.html(_STYLE)
    _require_login()
    place.show(page)
    _show_navigation()
    store = open_store()
    trouble.keep_log(store.state)
    return store


def name_tab(page: str, subject: str = "") -> None:
    """Name the browser's tab after what a page shows: a run or a file."""
    title = " · ".join(filter(None, (subject, PAGES[page][0], NAME)))
    st.set_page_config(page_title=title, page_icon=ICON, layout="wide")


def heading(page: str, facts: str = "", store: RunStore | None = None) -> None:
    """Draw the title of a page, one line below it, and the saved views of a store."""
    title, _, purpose = PAGES[page]
    with st.container(horizontal=True, vertical_alignment="bottom", key="heading"):
        st.title(title, anchor=False, width="content")
        st.caption(facts or purpose, width="content")
        if store is not None and page != "runs":  # the catalog shows all runs
            views.show(store, page, PAGES)


def _require_login() -> None:
    """Stop the page until somebody is logged in; do nothing where `.streamlit/secrets.toml` sets up no login."""
    if not (st.secrets.load_if_toml_exists() and "auth" in st.secrets):
        return
    if not st.user.get("is_logged_in", False):
        st.title("Log in", anchor=False)
        st.write("This dashboard is only for people with an account.")
        st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)
        st.stop()
    with st.sidebar:
        st.caption(f"Logged in as {text.escape(str(st.user.get('email') or st.user.get('name') or 'somebody'))}")
        st.button("Log out", icon=":material/logout:", type="tertiary", on_click=st.logout)


def _show_navigation() -> None:
    # Streamlit's own menu would drop the run and the filters from the address.
    with st.sidebar, st.container(gap="small", key="navigation"):
        for section, names in SECTIONS.items():
            with st.container(gap="xxsmall"):
                st.caption(section)
                for name in names:
                    label, icon, _ = PAGES[name]
                    query = address.carried()
                    st.page_link(f"pages/{name}.py", label=label, icon=icon, width="stretch", query_params=query)


def _show_run_choice(store: RunStore, manifests: list[Manifest], run_id: str) -> None:
    notes = read_notes(store)
    labels = run_choices(manifests, notes)
    ids = list(labels) if run_id in labels else [run_id, *labels]
    st.sidebar.selectbox(
        "Run",
        ids,
        key=address.mirror(_RUN_KEY, run_id),
        format_func=lambda chosen: labels.get(chosen, f"{chosen} (not found)"),
        on_change=_change_run,
    )


def _change_run() -> None:
    address.change(
        {"run": st.session_state[_RUN_KEY], "page": None, "image": None, "id": None, "area": None, "view": None}
    )


def _show_error(run_id: str, error: SparkcoreError) -> None:
    if isinstance(error, RunNotFoundError):  # its own text speaks of the shell
        trouble.show(error, f"There is no run {text.escape(run_id)} in this store. Choose another one from the list.")
    else:
        trouble.show(error)
    st.page_link("pages/runs.py", label="See all runs", icon=PAGES["runs"][1])


def _facts(opened: Opened) -> str:
    manifest, counts = opened.manifest, opened.manifest.counts
    errors = f", {counts['errors']:,} unreadable" if counts["errors"] else ""
    return (
        f"**{text.escape(opened.name)}** · {text.images(counts['images'])}{errors} · "
        f"{text.moment(manifest.finished_at)} UTC"
    )


def _show_empty() -> None:
    with st.container(border=True):
        st.header("Nothing has been classified yet", anchor=False)
        st.write(
            "This dashboard classifies pictures with a neural network and helps you explore the results: "
            "browse, filter, compare and share them. Start with the built-in samples or with your own pictures."
        )
        st.page_link("pages/run.py", label="Start the first run", icon=PAGES["run"][1])
