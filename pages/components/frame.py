"""What every page begins with: settings, login, navigation, the selected run, and the heading.

A page calls it first and is then complete by itself: the first request to a server may reach a page without passing
through the router.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components import address, text
from pages.components.opened import Opened, finished_runs, open_run, open_store, run_label
from sparkcore.errors import RunNotFoundError, SparkcoreError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.notes import read_notes
from sparkcore.runs.store import RunStore

NAME = "Image classification"
# Drawn here, because Streamlit would fetch its named icons for the browser's tab from the internet.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0072B2"/>'
    '<circle cx="11" cy="11" r="3" fill="#F0E442"/><path d="M4 25l8-9 5 5 5-7 6 11z" fill="#fff"/></svg>'
)

# Page -> (title, icon, purpose), in the order of the navigation.
PAGES = {
    "run": ("Run", ":material/play_circle:", "Start a run and follow it."),
    "gallery": ("Gallery", ":material/grid_view:", "All pictures of a run with their labels."),
    "labels": ("Labels", ":material/label:", "How often each label was predicted."),
    "scores": ("Scores", ":material/bar_chart:", "How sure the model is."),
    "image": ("Image", ":material/image:", "One picture with all its predictions."),
    "compare": ("Compare", ":material/compare_arrows:", "What differs between two runs."),
    "evaluate": ("Evaluate", ":material/fact_check:", "How often the predictions are correct."),
    "problems": ("Problems", ":material/broken_image:", "Unreadable pictures, and why."),
    "runs": ("Runs", ":material/history:", "All runs in this store."),
}
_RUN_KEY = "frame_run"
_STYLE = Path(__file__).with_name("frame.css")


def show(page: str) -> Opened | None:
    """Draw everything above the content of a page that shows one run, and return that run.

    The run is that of `?run=`, else the newest. Returns None where there is no such run, after saying what to do.
    """
    store = begin(page)
    manifests = finished_runs(store)
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
    heading(page, _facts(opened))
    return opened


def begin(page: str) -> RunStore:
    """Draw what comes before the heading, and return the store."""
    title = PAGES[page][0]
    st.set_page_config(page_title=f"{title} · {NAME}", page_icon=ICON, layout="wide")
    st.html(_STYLE)
    _require_login()
    with st.sidebar, st.container(gap="xxsmall"):
        for name, (label, icon, purpose) in PAGES.items():
            parameters = address.carried()
            st.page_link(
                f"pages/{name}.py", label=label, icon=icon, help=purpose, width="stretch", query_params=parameters
            )
    return open_store()


def heading(page: str, facts: str = "") -> None:
    """Draw the title of a page and one line below it."""
    title, _, purpose = PAGES[page]
    st.title(title, anchor=False)
    st.caption(facts or purpose)


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


def _show_run_choice(store: RunStore, manifests: list[Manifest], run_id: str) -> None:
    notes = read_notes(store)
    labels = {manifest.run_id: run_label(manifest, notes.of(manifest.run_id)) for manifest in manifests}
    ids = list(labels) if run_id in labels else [run_id, *labels]
    st.sidebar.selectbox(
        "Run",
        ids,
        key=address.mirror(_RUN_KEY, run_id),
        format_func=lambda chosen: labels.get(chosen, f"{chosen} (not found)"),
        on_change=_change_run,
    )


def _change_run() -> None:
    address.change({"run": st.session_state[_RUN_KEY], "page": None, "image": None, "id": None})


def _show_error(run_id: str, error: SparkcoreError) -> None:
    if isinstance(error, RunNotFoundError):  # its own text speaks of the shell
        said = f"There is no run {text.escape(run_id)} in this store. Choose another one from the list."
    else:
        said = text.escape(str(error))
    st.error(said, icon=":material/error:")
    st.page_link("pages/runs.py", label="See all runs", icon=PAGES["runs"][1])


def _facts(opened: Opened) -> str:
    manifest, counts = opened.manifest, opened.manifest.counts
    errors = f", {counts['errors']:,} unreadable" if counts["errors"] else ""
    model = manifest.model.get("name", manifest.config["model"])
    source = Path(manifest.config["images"].rstrip("/")).name or manifest.config["images"]
    named = f"**{text.escape(opened.note.name)}** · " if opened.note.name else ""
    return (
        f"{named}{text.escape(f'{model} on {source}')} · {text.images(counts['images'])}{errors} · "
        f"{text.moment(manifest.finished_at)} UTC · run {manifest.run_id}"
    )


def _show_empty() -> None:
    with st.container(border=True):
        st.header("Nothing has been classified yet", anchor=False)
        st.write(
            "This dashboard classifies pictures with a neural network and helps you explore the results: "
            "browse, filter, compare and share them. Start with the built-in samples or with your own pictures."
        )
        st.page_link("pages/run.py", label="Start the first run", icon=PAGES["run"][1])
