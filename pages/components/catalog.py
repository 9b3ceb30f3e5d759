"""The table of all runs, and the actions on the selected one."""

from __future__ import annotations

from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components import address, cached, cards, text, trouble
from pages.components.frame import PAGES
from pages.components.naming import changed_settings, run_name
from pages.components.opened import Opened, finished_runs
from sparkcore.errors import SparkcoreError
from sparkcore.runs.agreement import agreement_text
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import forget
from sparkcore.runs.notes import LONGEST_NAME, LONGEST_TEXT, MOST_TAGS, Note, Notes, read_notes, write_note
from sparkcore.runs.run_cards import card_key
from sparkcore.runs.store import RunStore

_TABLE_KEY = "catalog_table"
_TABLE_ROWS = 10
_ROW_PIXELS, _HEAD_PIXELS = 44, 38
_TAG = "runs_tag"


def listed(store: RunStore) -> list[Manifest]:
    """Draw the choice of a tag, and return the runs that have it, newest first."""
    manifests, notes = finished_runs(store), read_notes(store)
    if not notes.tags:
        return manifests
    wanted = address.get(_TAG, choices=("", *notes.tags))
    key = address.mirror("catalog_tag", wanted or None)
    st.pills(
        "Tag",
        notes.tags,
        key=key,
        label_visibility="collapsed",
        on_change=address.writer(key, _TAG),
        format_func=text.escape,
    )
    return [manifest for manifest in manifests if not wanted or wanted in notes.of(manifest.run_id).tags]


def show_table(opened: Opened, manifests: list[Manifest]) -> None:
    """Draw the table of runs; a click on a cell selects that run, two chosen rows can be compared."""
    ids = [manifest.run_id for manifest in manifests]
    key = f"{_TABLE_KEY}_{opened.run_id}"  # each run starts with a selection of its own
    state = st.dataframe(
        _table(manifests, read_notes(opened.store), opened.store),
        key=key,
        hide_index=True,
        width="stretch",
        height=_ROW_PIXELS * min(len(ids), _TABLE_ROWS) + _HEAD_PIXELS,
        row_height=_ROW_PIXELS,
        on_select=partial(_choose, key, ids),
        selection_mode=["multi-row", "single-cell"],
        selection_default={"selection": {"rows": [ids.index(opened.run_id)] if opened.run_id in ids else []}},
        placeholder="",
        column_config={
            "Picture": st.column_config.ImageColumn("", width=60),
            "Name": st.column_config.TextColumn(pinned=True),
            "When (UTC)": st.column_config.TextColumn(width=130),
            "Tags": st.column_config.ListColumn(),
            "Accuracy": st.column_config.NumberColumn(
                format="%.1f %%", help="Share of the images with a true label or a review whose prediction is correct"
            ),
            "95 % interval": st.column_config.TextColumn(help="Of the accuracy, if these images are a random sample"),
            "Images": st.column_config.NumberColumn(format="localized"),
            "Unreadable": st.column_config.NumberColumn(format="localized"),
            "Images/s": st.column_config.NumberColumn(format="%.1f", help="Mean over the whole run, startup included"),
            "Time (s)": st.column_config.NumberColumn(format="%.0f"),
            "Size (MB)": st.column_config.NumberColumn(format="%.1f", help="On disk"),
        },
        alt="Table of all runs",
    )
    _offer_comparison([ids[row] for row in state.selection.rows if row < len(ids)])


def _offer_comparison(chosen: list[str]) -> None:
    if len(chosen) == 2:
        newer, older = chosen if chosen[0] == address.get("run") else chosen[::-1]
        query = {"run": newer, "with": older}
        st.page_link("pages/compare.py", label="Compare the two", icon=PAGES["compare"][1], query_params=query)
    else:
        st.caption("A click on a run opens it below. Tick two to compare them.")


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
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Delete", icon=":material/delete:", type="tertiary", help="Asks first"):
                _ask_before_deleting(opened)


def show_note(opened: Opened) -> None:
    """Draw the form for the name and the note of the run."""
    with st.form(f"note_{opened.run_id}", border=False):
        name = st.text_input("Name", opened.note.name, max_chars=LONGEST_NAME, placeholder=opened.name)
        said = st.text_area("Note", opened.note.text, max_chars=LONGEST_TEXT, placeholder="What this run is about")
        offered = list(dict.fromkeys([*opened.note.tags, *read_notes(opened.store).tags]))
        tags = st.multiselect(
            "Tags",
            offered,
            list(opened.note.tags),
            accept_new_options=True,
            max_selections=MOST_TAGS,
            placeholder="None: type to add one",
        )
        if st.form_submit_button("Save", icon=":material/save:"):
            write_note(opened.store, opened.run_id, Note(name, said, tuple(tags)))
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


def _choose(key: str, ids: list[str]) -> None:
    selection = st.session_state[key].selection
    rows = [row for row, _ in selection.cells] or (selection.rows if len(selection.rows) == 1 else [])
    if rows and rows[0] < len(ids):
        address.change({"run": ids[rows[0]], "page": None, "image": None})


def _table(manifests: list[Manifest], notes: Notes, store: RunStore) -> pa.Table:
    there = cards.known(store)
    found = [there.get(card_key(manifest)) for manifest in manifests]
    tags = [list(notes.of(m.run_id).tags) for m in manifests]
    columns: dict[str, Any] = {
        "Picture": pa.array([cards.picture(card) for card in found], pa.string()),
        "Name": [run_name(m, notes.of(m.run_id)) for m in manifests],
        "Accuracy": pa.array([cards.accuracy(card) for card in found], pa.float64()),
        "95 % interval": [cards.interval(card) for card in found],
        **({"Tags": pa.array(tags, pa.list_(pa.string()))} if any(tags) else {}),
        "When (UTC)": [text.moment(m.finished_at) for m in manifests],
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
    used = "sparkcore", "pyspark", manifest.model.get("runtime", "tensorflow")
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
        "Versions": ", ".join(f"{name} {versions[name]}" for name in used if name in versions),
    }
