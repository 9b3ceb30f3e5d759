"""All runs as a table, and what can be done with one of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import address, facts, frame, text
from pages.components.frame import PAGES, Opened
from sparkcore.config import RunConfig
from sparkcore.errors import SparkcoreError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import forget
from sparkcore.runs.notes import LONGEST_NAME, LONGEST_TEXT, Note, Notes, read_notes, write_note
from sparkcore.runs.store import RunStore

_TABLE_KEY = "catalog_table"
_TABLE_ROWS = 10
_ROW_PIXELS = 35


def show_table(opened: Opened) -> None:
    """Draw the table of all runs, newest first; a click on a row opens that run."""
    manifests, notes = frame.finished_runs(opened.store), read_notes(opened.store)
    ids = [manifest.run_id for manifest in manifests]
    chosen = ids.index(opened.run_id)
    st.dataframe(
        _table(manifests, notes, opened.store),
        key=f"{_TABLE_KEY}_{opened.run_id}",  # a new selection begins with each run
        hide_index=True,
        width="stretch",
        height=_ROW_PIXELS * (min(len(ids), _TABLE_ROWS) + 1) + 3,
        on_select=_choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [chosen]}},
        column_config={
            "When (UTC)": st.column_config.TextColumn(width=130),
            "Images": st.column_config.NumberColumn(format="localized"),
            "Not readable": st.column_config.NumberColumn(format="localized"),
            "Images/s": st.column_config.NumberColumn(format="%.1f", help="Over the whole run, start included"),
            "Time (s)": st.column_config.NumberColumn(format="%.0f"),
            "Size (MB)": st.column_config.NumberColumn(format="%.1f", help="On disk"),
        },
        alt="Table of all runs",
    )


def show_unfinished(store: RunStore) -> None:
    """Say which runs were begun and not finished."""
    unfinished = store.unfinished()
    if unfinished:
        names = ", ".join(f"`{run_id}`" for run_id in unfinished[:5])
        st.caption(
            f"{len(unfinished):,} begun and not finished: {names}. The same request again goes on where it stopped."
        )


def show_actions(opened: Opened) -> None:
    """Draw what can be done with the run of the page."""
    st.markdown(f"**{text.escape(opened.title)}** · run `{opened.run_id}`")
    with st.container(horizontal=True, vertical_alignment="center"):
        run = {"run": opened.run_id}
        st.page_link("pages/gallery.py", label="Open", icon=PAGES["gallery"][1], query_params=run)
        st.page_link("pages/compare.py", label="Compare", icon=PAGES["compare"][1], query_params=run)
        st.page_link(
            "pages/run.py",
            label="Repeat with a change",
            icon=":material/replay:",
            query_params={**run, "repeat": opened.run_id},
        )
        if st.button("Delete", icon=":material/delete:"):
            _ask_before_deleting(opened)


def show_note(opened: Opened) -> None:
    """Draw the form for a name and a note of the run."""
    with st.form(f"note_{opened.run_id}", border=False):
        name = st.text_input("Name", opened.note.name, max_chars=LONGEST_NAME, placeholder=opened.title)
        said = st.text_area("Note", opened.note.text, max_chars=LONGEST_TEXT, placeholder="What this run is about")
        if st.form_submit_button("Save", icon=":material/save:"):
            write_note(opened.store, opened.run_id, Note(name, said))
            st.rerun()


def show_settings(manifest: Manifest) -> None:
    """Draw what a run was asked for, where it differs from the default, and how its time was spent."""
    facts.show(_facts(manifest))


@st.dialog("Delete this run?")
def _ask_before_deleting(opened: Opened) -> None:
    counts = opened.manifest.counts
    st.write(
        f"**{text.escape(opened.title)}** with the results of {counts['images']:,} images, "
        f"{text.size(_size_bytes(str(opened.store.root), opened.run_id, opened.manifest.finished_at))}, "
        "is removed for good. The pictures themselves stay."
    )
    with st.container(horizontal=True):
        st.button(
            "Delete",
            key="delete_for_good",
            type="primary",
            icon=":material/delete:",
            on_click=_delete,
            args=(opened.store, opened.run_id),
        )
        if st.button("Keep it"):
            st.rerun()


def _delete(store: RunStore, run_id: str) -> None:
    try:
        store.delete(run_id)
    except SparkcoreError as error:  # somebody else was quicker
        st.toast(str(error), icon=":material/error:")
    forget(store, run_id)
    write_note(store, run_id, Note())
    address.change({"run": None, "page": None, "image": None})


def _choose() -> None:
    key = f"{_TABLE_KEY}_{address.get('run')}"
    rows = st.session_state[key].selection.rows
    manifests = frame.finished_runs(frame.open_store())
    if rows and rows[0] < len(manifests):
        address.change({"run": manifests[rows[0]].run_id, "page": None, "image": None})


def _table(manifests: list[Manifest], notes: Notes, store: RunStore) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "When (UTC)": [text.moment(m.finished_at) for m in manifests],
        "Name": [frame.run_title(m, notes.of(m.run_id)) for m in manifests],
        "Model": [m.model.get("name", m.config["model"]) for m in manifests],
        "Settings": [_changed_settings(m) for m in manifests],
        "Images": [m.counts["images"] for m in manifests],
        "Not readable": [m.counts["errors"] for m in manifests],
        "Images/s": [m.images_per_second for m in manifests],
        "Time (s)": [m.timings.get("total") for m in manifests],
        "Size (MB)": [_size_bytes(str(store.root), m.run_id, m.finished_at) / 1e6 for m in manifests],
        "Run": [m.run_id for m in manifests],
    }
    return pa.table(columns)


def _changed_settings(manifest: Manifest) -> str:
    default = RunConfig(images="-").to_dict()
    skipped = ("images", "model", "weights", "labels", "seed")
    changed = {name: value for name, value in manifest.config.items() if value != default.get(name)}
    return ", ".join(f"{text.words(name)} {_said(value)}" for name, value in changed.items() if name not in skipped)


def _said(value: Any) -> str:
    return " and ".join(value) if isinstance(value, list) else str(value)


def _facts(manifest: Manifest) -> dict[str, str | None]:
    counts, timings, versions = manifest.counts, manifest.timings, manifest.versions
    return {
        "Images from": manifest.config["images"],
        "Model": manifest.model.get("name", manifest.config["model"]),
        "Weights": manifest.model.get("source"),
        "Input": f"{text.pixels(manifest.model['height'], manifest.model['width'])} pixels",
        "Settings": _changed_settings(manifest) or "all as by default",
        "Images": f"{counts['images']:,}, of them {counts.get('computed', 0):,} computed, "
        f"{counts.get('reused', 0):,} taken over from earlier runs",
        "Left out by size": f"{counts['excluded']:,}" if counts.get("excluded") else None,
        "Time": f"{text.duration(timings.get('total', 0.0))}, {manifest.images_per_second:,.1f} images/s",
        "Versions": ", ".join(f"{name} {versions[name]}" for name in ("pyspark", "tensorflow") if name in versions),
    }


@st.cache_data(max_entries=1000, show_spinner=False)
def _size_bytes(root: str, run_id: str, finished_at: str) -> int:
    del finished_at  # part of the key
    return RunStore(root).size_bytes(run_id)
