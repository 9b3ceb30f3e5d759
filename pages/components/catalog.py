"""The table of all runs, and the actions on the selected one."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import address, cached, text, trouble
from pages.components.frame import PAGES
from pages.components.naming import changed_settings, run_name
from pages.components.opened import Opened, finished_runs, open_store
from sparkcore.errors import SparkcoreError
from sparkcore.runs.agreement import agreement_text
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import forget
from sparkcore.runs.notes import LONGEST_NAME, LONGEST_TEXT, Note, Notes, read_notes, write_note
from sparkcore.runs.store import RunStore

_TABLE_KEY = "catalog_table"
_TABLE_ROWS = 10
_ROW_PIXELS = 35


def show_table(opened: Opened) -> None:
    """Draw the table of all runs, newest first; a click on a row selects that run."""
    manifests, notes = finished_runs(opened.store), read_notes(opened.store)
    ids = [manifest.run_id for manifest in manifests]
    chosen = ids.index(opened.run_id)
    st.dataframe(
        _table(manifests, notes, opened.store),
        key=f"{_TABLE_KEY}_{opened.run_id}",  # each run starts with a selection of its own
        hide_index=True,
        width="stretch",
        height=_ROW_PIXELS * (min(len(ids), _TABLE_ROWS) + 1) + 3,
        on_select=_choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [chosen]}},
        column_config={
            "When (UTC)": st.column_config.TextColumn(width=130),
            "Images": st.column_config.NumberColumn(format="localized"),
            "Unreadable": st.column_config.NumberColumn(format="localized"),
            "Images/s": st.column_config.NumberColumn(format="%.1f", help="Mean over the whole run, startup included"),
            "Time (s)": st.column_config.NumberColumn(format="%.0f"),
            "Size (MB)": st.column_config.NumberColumn(format="%.1f", help="On disk"),
        },
        alt="Table of all runs",
    )


def show_unfinished(store: RunStore) -> None:
    """Name the runs that were started and not finished."""
    unfinished = store.unfinished()
    if unfinished:
        names = ", ".join(f"`{run_id}`" for run_id in unfinished[:5])
        st.caption(f"{len(unfinished):,} unfinished: {names}. Start a run with the same settings to resume it.")


def show_actions(opened: Opened) -> None:
    """Draw the actions on the selected run."""
    st.markdown(f"**{text.escape(opened.name)}**")
    with st.container(horizontal=True, vertical_alignment="center"):
        run = {"run": opened.run_id}
        st.page_link("pages/gallery.py", label="Open", icon=PAGES["gallery"][1], query_params=run)
        st.page_link("pages/compare.py", label="Compare", icon=PAGES["compare"][1], query_params=run)
        st.page_link(
            "pages/run.py",
            label="Repeat with changes",
            icon=":material/replay:",
            query_params={**run, "repeat": opened.run_id},
        )
        if st.button("Delete", icon=":material/delete:", type="tertiary"):
            _ask_before_deleting(opened)


def show_note(opened: Opened) -> None:
    """Draw the form for the name and the note of the run."""
    with st.form(f"note_{opened.run_id}", border=False):
        name = st.text_input("Name", opened.note.name, max_chars=LONGEST_NAME, placeholder=opened.name)
        said = st.text_area("Note", opened.note.text, max_chars=LONGEST_TEXT, placeholder="What this run is about")
        if st.form_submit_button("Save", icon=":material/save:"):
            write_note(opened.store, opened.run_id, Note(name, said))
            st.rerun()


def show_settings(manifest: Manifest) -> None:
    """Draw the settings that differ from the defaults, and the speed of the run."""
    st.html(text.details_html(_details(manifest)))


@st.dialog("Delete this run?")
def _ask_before_deleting(opened: Opened) -> None:
    counts, (size_bytes,) = opened.manifest.counts, cached.sizes_bytes(opened.store, [opened.manifest])
    st.write(
        f"**{text.escape(opened.name)}** with the results of {text.images(counts['images'])}, "
        f"{text.size(size_bytes)}, will be deleted permanently. The pictures themselves are kept."
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
        if st.button("Cancel"):
            st.rerun()


def _delete(store: RunStore, run_id: str) -> None:
    try:
        store.delete(run_id)
    except SparkcoreError as error:  # somebody else has just deleted it
        trouble.toast(error)
    forget(store, run_id)
    write_note(store, run_id, Note())
    address.change({"run": None, "page": None, "image": None})


def _choose() -> None:
    key = f"{_TABLE_KEY}_{address.get('run')}"
    rows = st.session_state[key].selection.rows
    manifests = finished_runs(open_store())
    if rows and rows[0] < len(manifests):
        address.change({"run": manifests[rows[0]].run_id, "page": None, "image": None})


def _table(manifests: list[Manifest], notes: Notes, store: RunStore) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "When (UTC)": [text.moment(m.finished_at) for m in manifests],
        "Name": [run_name(m, notes.of(m.run_id)) for m in manifests],
        "Model": [m.model.get("name", m.config["model"]) for m in manifests],
        "Settings": [_changed_settings(m) for m in manifests],
        "Images": [m.counts["images"] for m in manifests],
        "Unreadable": [m.counts["errors"] for m in manifests],
        "Images/s": [m.images_per_second for m in manifests],
        "Time (s)": [m.timings.get("total") for m in manifests],
        "Size (MB)": [size / 1e6 for size in cached.sizes_bytes(store, manifests)],
        "Run": [m.run_id for m in manifests],
    }
    return pa.table(columns)


def _changed_settings(manifest: Manifest) -> str:
    skipped = ("images", "model", "weights", "labels", "seed")
    return ", ".join(
        f"{text.setting_name(name)} {text.setting(value)}"
        for name, value in changed_settings(manifest.config).items()
        if name not in skipped
    )


def _details(manifest: Manifest) -> dict[str, str | None]:
    counts, timings, versions = manifest.counts, manifest.timings, manifest.versions
    reused = counts.get("reused", 0)
    side = manifest.model.get("height", 0), manifest.model.get("width", 0)
    return {
        "Path": manifest.config["images"],
        "Model": manifest.model.get("name", manifest.config["model"]),
        "Weights": manifest.model.get("source"),
        "Input": f"{text.pixels(*side)} pixels" if all(side) else None,
        "Settings": _changed_settings(manifest) or "defaults",
        "Precision": agreement_text(manifest.to_dict()) or None,
        "Images": f"{counts['images']:,} ({f'{reused:,}' if reused else 'none'} reused)",
        "Excluded by size": f"{counts['excluded']:,}" if counts.get("excluded") else None,
        "Left out": manifest.left_out or None,
        "Time": f"{text.duration(timings.get('total', 0.0))}, {manifest.images_per_second:,.1f} images/s",
        "Run id": manifest.run_id,
        "Versions": ", ".join(f"{name} {versions[name]}" for name in ("pyspark", "tensorflow") if name in versions),
    }
